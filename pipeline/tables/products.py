"""What merchandisers call a product: from the source's catalogue, or made from the sales lines where there is none."""

from pipeline.tables.contract import Column, Table

PRODUCTS = Table(
    name="products",
    grain="one product",
    key=("product_id",),
    columns=(
        Column("product_id", "string", "product"),
        Column("name", "string", "name in the catalogue, else the product_id"),
        Column("category", "string", "catalogue's category, else the most frequent one of its lines", nullable=True),
        Column("brand", "string", "brand in the catalogue", nullable=True),
        Column("price_cents", "double", "catalogue or mean paid price", unit="cents", minimum=0.0, maximum=1e12),
        Column("first_sold_on", "date", "day of its first accepted line", nullable=True),
        Column("unit", "string", "unit of measure in the catalogue, such as kg or ml", nullable=True),
        Column("discontinued_on", "date", "first day on which it is no longer sold, by the catalogue", nullable=True),
        Column("replaced_by", "string", "product that takes its place, by the catalogue", nullable=True),
    ),
)
