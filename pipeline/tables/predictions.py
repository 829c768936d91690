"""The next basket of every active funnel, as of the business date."""

from datetime import date

from pipeline.tables.contract import Column, Table
from pipeline.tables.sequences import FUNNEL_KINDS

FALLBACKS = ("not_trained_on", "one_basket", "only_unknown_products")

PREDICTIONS = Table(
    name="predictions",
    grain="one funnel",
    key=("funnel_kind", "funnel_id"),
    columns=(
        Column("funnel_kind", "string", "what the funnel is", values=FUNNEL_KINDS),
        Column("funnel_id", "string", "customer_id or store_id"),
        Column("store_id", "string", "store the basket is expected in"),
        Column(
            "products",
            "array<struct<product_id:string,probability:double,quantity:double>>",
            "predicted basket, most probable first: probability of being in it, units if it is",
        ),
        Column("n_products", "int", "length of products", minimum=1, maximum=1000),
        Column(
            "gap_days",
            "double",
            "median days from a basket to the next, as of last_sold_on",
            unit="days",
            minimum=0.0,
            maximum=3650.0,
        ),
        Column(
            "next_sold_on", "date", "median day of the next basket, given that none came yet", minimum=date(1970, 1, 2)
        ),
        Column("last_sold_on", "date", "day of the latest basket", minimum=date(1970, 1, 2)),
        Column("fallback", "string", "why the model did not predict it, if so", nullable=True, values=FALLBACKS),
        Column("model_version", "string", "registered model name and version, or `frequency`"),
        Column("business_date", "date", "the night", minimum=date(1970, 1, 2), maximum=date(2200, 1, 1)),
    ),
)
