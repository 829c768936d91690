"""Accepted sales lines.

Grain one line of a delivered file. Cumulative: every version holds all days delivered so far; what a delivery replaces
is what the source's `redelivery` says, by default what the same file said before. `sold_on` is the shop's calendar day
in the source's time zone. Money is whole cents, so that sums do not depend on their order. Returns are lines with
`is_return`, their quantity and amount positive.
"""

from datetime import date

from pipeline.tables.contract import Column, Table

TRANSACTIONS = Table(
    name="transactions",
    grain="one accepted line of a delivered file",
    key=("source_file", "source_line"),
    partition=("sold_on",),
    cumulative=True,
    columns=(
        Column("source_file", "string", "delivered file, relative to the source's folder"),
        Column("source_line", "bigint", "line in that file, the header being line 1", minimum=1),
        Column("sold_at_utc", "timestamp", "time of sale; midnight of the shop where only a date is delivered"),
        Column("store_id", "string", "store; `all` where the source has one store"),
        Column("customer_id", "string", "customer; null where the sale has none", nullable=True),
        Column("basket_id", "string", "the till's basket number, where the source has one", nullable=True),
        Column("product_id", "string", "product"),
        Column("category", "string", "product category, where the source has one", nullable=True),
        Column("quantity", "double", "units bought, or brought back", unit="units", minimum=0.0, maximum=1e6),
        Column(
            "amount_cents",
            "bigint",
            "line total paid, or paid back; below 0 a discount on the basket, with quantity 0",
            unit="cents",
            minimum=-(10**12),
            maximum=10**12,
        ),
        Column("customer_attributes", "array<string>", "what the line says of its customer, name=value", nullable=True),
        Column("is_return", "boolean", "goods came back"),
        Column("delivery_id", "string", "delivery the line belongs to, where the source names one", nullable=True),
        Column("line_hash", "bigint", "equal for equal delivered lines of one day", nullable=True),
        Column("sold_on", "date", "shop's calendar day", minimum=date(1970, 1, 2), maximum=date(2200, 1, 1)),
    ),
)
