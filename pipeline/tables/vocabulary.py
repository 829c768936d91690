"""Products the model knows, one version beside the sequences that use it.

Index 0 is padding, 1 the unknown product (all products bought in fewer than `min_product_count` baskets), 2 the end of
a basket; known products follow, most frequent first (ties by product_id). `vocabulary_hash` identifies the mapping:
a model is used only with sequences of the same hash.
"""

from pipeline.tables.contract import Column, Table

PADDING_INDEX = 0
UNKNOWN_INDEX = 1
END_INDEX = 2
FIRST_PRODUCT_INDEX = 3

VOCABULARY = Table(
    name="vocabulary",
    grain="one known product",
    key=("product_id",),
    columns=(
        Column("product_index", "int", "index in the model", minimum=FIRST_PRODUCT_INDEX, maximum=10**8),
        Column("product_id", "string", "product"),
        Column("category", "string", "most frequent category of its lines", nullable=True),
        Column("n_baskets", "bigint", "baskets with the product", minimum=1, maximum=10**12),
        Column("unit_price_cents", "double", "mean price paid per unit", unit="cents", minimum=0.0, maximum=1e12),
        Column("vocabulary_hash", "string", "identifies this mapping"),
    ),
)
