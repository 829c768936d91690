"""Customers who shop alike, and products that meet the same need: groups that keep number and name for many nights."""

from pipeline.tables.contract import Column, Table


def _columns(member: str, meaning: str) -> tuple[Column, ...]:
    return (
        Column(member, "string", meaning),
        Column("segment_id", "int", "number that the segment keeps from night to night", minimum=1),
        Column("segment_name", "string", "the categories that it has most above everyone; kept with the number"),
        Column("n_members", "bigint", "members of the segment tonight", minimum=1),
        Column("is_new_segment", "boolean", "no segment of the night before has half its members"),
        Column(
            "rand_index",
            "double",
            "adjusted Rand index against the night before, 1 for the same segments; empty on the first night",
            nullable=True,
            minimum=-1.0,
            maximum=1.0,
        ),
        Column("x", "double", "place in the plot, along the direction in which members differ most"),
        Column("y", "double", "place in the plot, along the next direction"),
    )


CUSTOMER_SEGMENTS = Table(
    name="customer_segments",
    grain="one customer with enough baskets",
    key=("customer_id",),
    min_rows=0,
    columns=_columns("customer_id", "customer"),
)

PRODUCT_SEGMENTS = Table(
    name="product_segments",
    grain="one product of the vectors' vocabulary",
    key=("product_id",),
    min_rows=0,
    columns=(
        *_columns("product_id", "product"),
        Column("vectors_from", "string", "registered model name and version, or `co-purchases` before the first"),
    ),
)
