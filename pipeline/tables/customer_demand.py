"""What the model expects its customers to buy, per store, product and day; made where `demand.route` is `model`."""

from datetime import date

from pipeline.tables.contract import Column, Table

CUSTOMER_DEMAND = Table(
    name="customer_demand",
    grain="one product that a store has sold lately, on one day of the horizon",
    key=("store_id", "product_id", "demand_on"),
    min_rows=0,
    min_row_ratio=0.0,
    keep_days=28,  # four weeks say what weight the model earned
    columns=(
        Column("store_id", "string", "store"),
        Column("product_id", "string", "product"),
        Column("demand_on", "date", "day, the business date first", minimum=date(1970, 1, 2)),
        Column(
            "units",
            "double",
            "units that customers whom the model predicts are expected to buy",
            unit="units",
            minimum=0.0,
            maximum=1e9,
        ),
        Column(
            "other_share",
            "double",
            "share of the product's units that all others bought in the last weeks: new customers, sales without one",
            minimum=0.0,
            maximum=1.0,
        ),
    ),
)
