"""Model input: the ordered baskets of one funnel, as parallel arrays with one entry per basket, oldest first.

A funnel is a customer, or a store (LENS's customer-agnostic case; there one basket is one day of the store). Only
baskets with products count. History is cut at `max_baskets`, a basket at its `max_products` largest lines by quantity.
"""

from datetime import date

from pipeline.tables.contract import Column, Table

FUNNEL_KINDS = ("customer", "store")

SEQUENCES = Table(
    name="sequences",
    grain="one funnel: a customer or a store",
    key=("funnel_kind", "funnel_id"),
    columns=(
        Column("funnel_kind", "string", "what the funnel is", values=FUNNEL_KINDS),
        Column("funnel_id", "string", "customer_id or store_id"),
        Column("store_id", "string", "the customer's most frequent store (ties: the latest), or the store itself"),
        Column("n_baskets", "int", "baskets before the cut", minimum=1, maximum=10**7),
        Column("last_sold_on", "date", "day of the last basket", minimum=date(1970, 1, 2), maximum=date(2200, 1, 1)),
        Column("sold_on", "array<date>", "day of each basket"),
        Column("gap_days", "array<int>", "days since the previous basket, which may lie before the cut; -1 for none"),
        Column("day_of_week", "array<int>", "1 Monday to 7 Sunday"),
        Column("day_of_month", "array<int>", "1 to 31"),
        Column("month", "array<int>", "1 to 12"),
        Column("products", "array<array<int>>", "vocabulary indices, ascending by product_id"),
        Column("quantities", "array<array<float>>", "units, aligned with products", unit="units"),
        Column("amounts_cents", "array<array<bigint>>", "money, aligned with products", unit="cents"),
        Column("attributes", "array<string>", "what the latest sale says of the customer, name=value", nullable=True),
        Column("vocabulary_hash", "string", "the vocabulary these indices belong to"),
    ),
)
