"""Shopping sessions.

Grain one basket of one customer in one store, made by the source's session rule (its own basket id, customer and day,
or a gap in minutes); a basket without a customer counts for its store and its products. Lines of one product are
merged. Returns are netted first-in first-out against earlier purchases of the same customer and product, and kept in
`returned`; a basket whose purchases all came back has no `products`. Discounts are taken off what the products cost.
"""

from datetime import date

from pipeline.tables.contract import Column, Table

LINES = "array<struct<product_id:string,quantity:double,amount_cents:bigint>>"

BASKETS = Table(
    name="baskets",
    grain="one shopping session of one customer",
    key=("basket_key",),
    columns=(
        Column(
            "basket_key", "string", "what makes the session one (customer, day or start, till basket), hashed: stable"
        ),
        Column("customer_id", "string", "customer; null where the sale has none", nullable=True),
        Column("store_id", "string", "store of the session"),
        Column("started_at_utc", "timestamp", "first line's time"),
        Column("sold_on", "date", "shop's calendar day", minimum=date(1970, 1, 2), maximum=date(2200, 1, 1)),
        Column("products", LINES, "lines kept after returns, sorted by product_id, quantity above 0"),
        Column("returned", LINES, "lines brought back in this session, sorted by product_id"),
        Column("n_products", "int", "length of products", minimum=0, maximum=100_000),
        Column("quantity", "double", "units over products", unit="units", minimum=0.0, maximum=1e9),
        Column("amount_cents", "bigint", "money over products", unit="cents", minimum=0, maximum=10**14),
    ),
)
