"""What is on the shelf and what will arrive: the two input tables of stock-out detection.

Read from the source's stock and resupply files where it delivers them; otherwise derived from sales history by the
documented plan in `models/demand/supply_plan.py` (`origin` says which).
"""

from datetime import date

from pipeline.tables.contract import Column, Table

ORIGINS = ("delivered", "derived")

STOCK_LEVELS = Table(
    name="stock_levels",
    grain="one product in one store, at the opening of the business date",
    key=("store_id", "product_id"),
    columns=(
        Column("store_id", "string", "store"),
        Column("product_id", "string", "product"),
        Column("on_hand", "double", "units on the shelf", unit="units", minimum=0.0, maximum=1e9),
        Column("as_of", "date", "the business date", minimum=date(1970, 1, 2), maximum=date(2200, 1, 1)),
        Column("origin", "string", "delivered by the source or derived", values=ORIGINS),
    ),
)

RESUPPLIES = Table(
    name="resupplies",
    grain="one product arriving in one store on one day of the horizon",
    key=("store_id", "product_id", "arrives_on"),
    min_rows=0,
    min_row_ratio=0.0,
    columns=(
        Column("store_id", "string", "store"),
        Column("product_id", "string", "product"),
        Column("arrives_on", "date", "day of arrival, before opening", minimum=date(1970, 1, 2)),
        Column("units", "double", "units arriving", unit="units", minimum=0.0, maximum=1e9),
        Column("origin", "string", "delivered by the source or derived", values=ORIGINS),
    ),
)
