"""Each customer's style, the articles in store, and the best of them for each customer.

The intent of a customer to buy an article is the product of their `factors` (`styles`, `style_articles`), and what the
customer's own earlier purchases of it add, and their views where a source delivers some (`styles.own`).
`style_rankings` holds the largest ones, or, where `styles.diversity` is set, those of which fewer are alike.
"""

from datetime import date

from pipeline.tables.contract import Column, Table

STYLE_FALLBACKS = ("no_model", "other_vectors")
_FIRST, _LAST = date(1970, 1, 2), date(2200, 1, 1)

_FALLBACK = Column("fallback", "string", "why no model predicted it, if so", nullable=True, values=STYLE_FALLBACKS)
_VERSION = Column("model_version", "string", "registered model name and version, or `profile`")
_NIGHT = Column("business_date", "date", "the night", minimum=_FIRST, maximum=_LAST)

STYLES = Table(
    name="styles",
    grain="one customer with a purchase before the business date",
    key=("customer_id",),
    min_rows=0,
    columns=(
        Column("customer_id", "string", "customer"),
        Column("factors", "array<float>", "style, in the space of the article vectors, then taste, in that of signals"),
        Column(
            "own",
            "array<struct<product_id:string,score:float>>",
            "what earlier purchases and views add to an intent",
        ),
        Column("is_cold", "boolean", "no known article was bought: the style depends on the time alone"),
        Column("orders", "int", "orders with a known article", minimum=0),
        Column("last_sold_on", "date", "day of the latest of them", nullable=True, minimum=_FIRST, maximum=_LAST),
        _FALLBACK,
        _VERSION,
        Column("vectors_version", "string", "model version of the article vectors"),
        _NIGHT,
    ),
)

STYLE_ARTICLES = Table(
    name="style_articles",
    grain="one article in store on the business date",
    key=("product_id",),
    min_rows=0,
    min_row_ratio=0.0,
    columns=(
        Column("product_id", "string", "product"),
        Column("factors", "array<float>", "article vector, then what its sales so far say"),
        Column("is_new", "boolean", "nobody has bought it before"),
        _VERSION,
        _NIGHT,
    ),
)

STYLE_RANKINGS = Table(
    name="style_rankings",
    grain="one of the best articles in store for one customer",
    key=("customer_id", "style_rank"),
    min_rows=0,
    columns=(
        Column("customer_id", "string", "customer"),
        Column(
            "style_rank", "int", "place in the list: by intent, or as `styles.diversity` asks", minimum=1, maximum=1000
        ),
        Column("product_id", "string", "article in store"),
        Column("intent", "float", "to buy it; comparable within one customer and one night"),
        Column("is_new", "boolean", "nobody has bought it before"),
        Column("is_cold", "boolean", "of a customer whose style depends on the time alone"),
        _FALLBACK,
        _VERSION,
        _NIGHT,
    ),
)
