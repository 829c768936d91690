"""Products expected to run out within the horizon (LENS, Algorithm 2)."""

from datetime import date

from models.severities import SEVERITIES
from pipeline.tables.contract import Column, Table

STOCKOUTS = Table(
    name="stockouts",
    grain="one product in one store",
    key=("store_id", "product_id"),
    min_rows=0,
    min_row_ratio=0.0,
    columns=(
        Column("store_id", "string", "store"),
        Column("product_id", "string", "product"),
        Column("category", "string", "product category", nullable=True),
        Column("short_on", "date", "first day on which the shelf is expected short", minimum=date(1970, 1, 2)),
        Column("probability", "double", "of being short within the horizon", minimum=0.0, maximum=1.0),
        Column("on_hand", "double", "opening stock", unit="units", minimum=0.0),
        Column("resupply", "double", "units arriving within the horizon", unit="units", minimum=0.0),
        Column("resupply_on", "date", "first day on which some arrive", nullable=True, minimum=date(1970, 1, 2)),
        Column("demand", "double", "expected units over the horizon", unit="units", minimum=0.0),
        Column("demand_p10", "double", "10 % quantile of those units", unit="units", minimum=0.0),
        Column("demand_p90", "double", "90 % quantile of those units", unit="units", minimum=0.0),
        Column("units_short", "double", "expected units unserved within the horizon", unit="units", minimum=0.0),
        Column("days_of_cover", "double", "days the stock lasts, resupplies included", unit="days", minimum=0.0),
        Column("value_at_risk_cents", "bigint", "units short at the mean price", unit="cents", minimum=0),
        Column("residual", "array<double>", "stock + resupply - demand by day of the horizon", unit="units"),
        Column("n_customers", "int", "customers predicted to buy it in the horizon", minimum=0),
        Column("severity", "string", "from the value at risk and how soon", values=SEVERITIES),
        Column("reason", "string", "one sentence a merchandiser can check"),
    ),
)
