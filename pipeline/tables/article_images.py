"""What an image network says of each picture, by the picture's hash: made once per picture, whoever shows it.

Without a pretrained network it is the picture itself, small: the network that reads it is trained with the article
vectors, and its outputs change with every model.
"""

from pipeline.tables.contract import Column, Table

ARTICLE_IMAGES = Table(
    name="article_images",
    grain="one picture",
    key=("image_hash",),
    min_rows=0,
    min_row_ratio=0.0,
    columns=(
        Column("image_hash", "string", "SHA-256 of the picture's file"),
        Column("network", "string", "what made the row: `pixels` and the side, or the network and its weights' hash"),
        Column("pixels", "binary", "red, green and blue of a square on white, row by row", nullable=True),
        Column("vector", "array<float>", "outputs of a pretrained network", nullable=True),
    ),
)
