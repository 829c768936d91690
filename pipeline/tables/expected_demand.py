"""Expected demand in units, per store, product and day of the horizon."""

from datetime import date

from pipeline.tables.contract import Column, Table

EXPECTED_DEMAND = Table(
    name="expected_demand",
    grain="one product in one store on one day of the horizon",
    key=("store_id", "product_id", "demand_on"),
    columns=(
        Column("store_id", "string", "store"),
        Column("product_id", "string", "product"),
        Column("demand_on", "date", "day, the business date first", minimum=date(1970, 1, 2)),
        Column("mean", "double", "expected units", unit="units", minimum=0.0, maximum=1e9),
        Column("variance", "double", "variance of the day's units", unit="units squared", minimum=0.0, maximum=1e18),
        Column(
            "cumulative_variance",
            "double",
            "variance of the units from the business date through that day; its mean is the sum of the means",
            unit="units squared",
            minimum=0.0,
            maximum=1e18,
        ),
        Column("p10", "double", "10 % quantile", unit="units", minimum=0.0, maximum=1e9),
        Column("p50", "double", "median", unit="units", minimum=0.0, maximum=1e9),
        Column("p90", "double", "90 % quantile", unit="units", minimum=0.0, maximum=1e9),
        Column(
            "model_weight",
            "double",
            "the model's share in the mean, as it was set or earned; 0 where `demand.route` is another",
            nullable=True,
            minimum=0.0,
            maximum=1.0,
        ),
        Column("from_customers", "double", "part of the mean from predicted baskets", unit="units", minimum=0.0),
        Column("n_customers", "int", "customers predicted to buy it that day", minimum=0, maximum=10**9),
        Column("method", "string", "methods that weigh, by the store's last weeks and products like it", nullable=True),
        Column(
            "largest_week",
            "double",
            "the product's own best seven days of the trailing ones, with the promotions of the horizon",
            unit="units",
            nullable=True,
            minimum=0.0,
            maximum=1e9,
        ),
        Column(
            "trailing_week",
            "double",
            "seven days at the mean of its last 28 days of trade, less those of the horizon on which it is not sold",
            unit="units",
            nullable=True,
            minimum=0.0,
            maximum=1e9,
        ),
        Column(
            "ignored_units",
            "double",
            "units of lines unlike any other of the product; kept, but not learned from",
            unit="units",
            nullable=True,
            minimum=0.0,
        ),
    ),
)
