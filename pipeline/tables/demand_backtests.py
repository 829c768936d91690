"""The last weeks as tonight's method would have forecast them then, beside what was sold."""

from datetime import date

from pipeline.tables.contract import Column, Table

DEMAND_BACKTESTS = Table(
    name="demand_backtests",
    grain="one product in one store on one day, forecast from what was known on an earlier one",
    key=("store_id", "product_id", "as_of", "demand_on"),
    min_rows=0,
    min_row_ratio=0.0,
    columns=(
        Column("store_id", "string", "store"),
        Column("product_id", "string", "product"),
        Column("as_of", "date", "morning of which it is the forecast; only sales before it were known"),
        Column("demand_on", "date", "day, `as_of` first", minimum=date(1970, 1, 2)),
        Column("mean", "double", "units that were expected", unit="units", minimum=0.0, maximum=1e9),
        Column("variance", "double", "variance of the day's units", unit="units squared", minimum=0.0, maximum=1e18),
        Column(
            "cumulative_variance",
            "double",
            "variance of the units from `as_of` through that day",
            unit="units squared",
            minimum=0.0,
            maximum=1e18,
        ),
        Column("units", "double", "units sold, without lines unlike any other", unit="units", minimum=0.0),
        Column("method", "string", "methods that weighed, by the weeks before and products like it"),
    ),
)
