"""Expected units of each product on each weekday."""

from datetime import date

from pipeline.tables.contract import Column, Table

WEEKDAY_UNITS = Table(
    name="weekday_units",
    grain="one product on one weekday",
    key=("product_id", "day_of_week"),
    columns=(
        Column("product_id", "string", "product"),
        Column("day_of_week", "int", "1 is Monday", minimum=1, maximum=7),
        Column("expected_units", "double", "mean units on such a day", unit="units", minimum=0.0, maximum=1e9),
        Column("model_version", "string", "registered model name and version, or `flat`"),
        Column("business_date", "date", "the morning", minimum=date(1970, 1, 2), maximum=date(2200, 1, 1)),
    ),
)
