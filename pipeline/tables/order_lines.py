"""What customers bought line by line, before returns, and what came back of each line."""

from datetime import date

from pipeline.tables.contract import Column, Table

ORDER_LINES = Table(
    name="order_lines",
    grain="one product in one shopping session of one known customer",
    key=("basket_key", "product_id"),
    columns=(
        Column("basket_key", "string", "session, as in `baskets`"),
        Column("customer_id", "string", "customer"),
        Column("store_id", "string", "store of the session"),
        Column("product_id", "string", "product"),
        Column("started_at_utc", "timestamp", "first line's time of the session"),
        Column("sold_on", "date", "shop's calendar day", minimum=date(1970, 1, 2), maximum=date(2200, 1, 1)),
        Column("local_hour", "double", "hour of the shop's day", unit="hours", minimum=0.0, maximum=24.0),
        Column(
            "quantity",
            "double",
            "units bought and not brought back in the session",
            unit="units",
            minimum=0.0,
            maximum=1e9,
        ),
        Column("amount_cents", "bigint", "paid for them, after discounts", unit="cents", minimum=0, maximum=10**14),
        Column("attributes", "array<string>", "what the lines say of the customer, name=value", nullable=True),
        Column(
            "returned",
            "array<struct<returned_at_utc:timestamp,returned_on:date,quantity:double>>",
            "what came back in later sessions, by time; a return takes back the newest purchase that is left",
        ),
    ),
)
