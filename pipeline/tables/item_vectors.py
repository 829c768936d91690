"""A vector per article: near each other is what the same customers buy. Made of image, tags and numbers.

An article that nobody has bought yet has one, too. Vectors of one model version are in one space; those of two are not.
"""

from datetime import date

from pipeline.tables.contract import Column, Table

ITEM_FALLBACKS = ("no_model",)

ITEM_VECTORS = Table(
    name="item_vectors",
    grain="one article of the catalogue",
    key=("product_id",),
    columns=(
        Column("product_id", "string", "product"),
        Column("vector", "array<float>", "around the mean of all articles, mean square of components 1"),
        Column("inputs", "array<string>", "what the model had of it, of tags, numbers, image, purchases"),
        Column("fallback", "string", "why no model made it, if so", nullable=True, values=ITEM_FALLBACKS),
        Column("model_version", "string", "registered model name and version, or `tags`"),
        Column("business_date", "date", "the night", minimum=date(1970, 1, 2), maximum=date(2200, 1, 1)),
    ),
)
