"""The trained vectors of the champion, one per customer and one per product."""

from pipeline.tables.contract import Column, Table


def _vectors(member: str, grain: str) -> Table:
    return Table(
        name=f"{member}_vectors",
        grain=grain,
        key=(f"{member}_id",),
        min_rows=0,
        columns=(
            Column(f"{member}_id", "string", member),
            Column("vector", "array<float>", "trained with the model; near each other means alike to it"),
            Column("model_version", "string", "registered model name and version that it comes from"),
        ),
    )


CUSTOMER_VECTORS = _vectors("customer", "one customer whom the champion was trained on")
PRODUCT_VECTORS = _vectors("product", "one product of the champion's vocabulary")
