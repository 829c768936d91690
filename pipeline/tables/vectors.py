"""The vectors that the champion learned: what it knows of each customer and product beyond their baskets."""

from pipeline.tables.contract import Column, Table


def _columns(member: str, meaning: str) -> tuple[Column, ...]:
    return (
        Column(member, "string", meaning),
        Column("vector", "array<float>", "trained with the model; near each other means alike to it"),
        Column("model_version", "string", "registered model name and version that it comes from"),
    )


CUSTOMER_VECTORS = Table(
    name="customer_vectors",
    grain="one customer whom the champion was trained on",
    key=("customer_id",),
    min_rows=0,
    columns=_columns("customer_id", "customer"),
)

PRODUCT_VECTORS = Table(
    name="product_vectors",
    grain="one product of the champion's vocabulary",
    key=("product_id",),
    min_rows=0,
    columns=_columns("product_id", "product"),
)
