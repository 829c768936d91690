"""Which articles customers looked at: the views, or searches, that a source delivers as `[sessions]`.

Made anew from all delivered files, as of the business date. A source that delivers none has an empty table.
"""

from datetime import date

from pipeline.tables.contract import Column, Table

FIRST, LAST = date(1970, 1, 2), date(2200, 1, 1)

VIEWS = Table(
    name="views",
    grain="one look of a customer at an article",
    key=("customer_id", "product_id", "viewed_at_utc"),
    min_rows=0,
    min_row_ratio=0.0,
    columns=(
        Column("customer_id", "string", "customer"),
        Column("product_id", "string", "article"),
        Column("viewed_at_utc", "timestamp", "when it was looked at"),
        Column("viewed_on", "date", "day of it, where the shop is", minimum=FIRST, maximum=LAST),
    ),
)
