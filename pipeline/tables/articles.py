"""What is known of an article beside its name: tags, numbers, picture, and when it is in store."""

from datetime import date

from pipeline.tables.contract import Column, Table

# Why a picture cannot be used.
MISSING, NO_IMAGE, TRUNCATED = "missing", "not an image", "truncated"
TOO_LARGE, UNKNOWN_MODE = "too many pixels", "unknown mode"
OUTSIDE = "outside the folder"
PROBLEMS = (MISSING, NO_IMAGE, TRUNCATED, TOO_LARGE, UNKNOWN_MODE, OUTSIDE)

ARTICLES = Table(
    name="articles",
    grain="one article of the catalogue",
    key=("product_id",),
    columns=(
        Column("product_id", "string", "product"),
        Column("tags", "array<string>", "`column=value` of the described columns, and words, each once, in order"),
        Column("numbers", "array<double>", "as `[catalogue] numbers` orders them; NaN where one cannot be read"),
        Column("price_cents", "double", "price of one unit", unit="cents", nullable=True, minimum=0.0, maximum=1e12),
        Column("image_file", "string", "picture, relative to the source's folder", nullable=True),
        Column("image_hash", "string", "SHA-256 of the picture's file; null without a usable one", nullable=True),
        Column("image_problem", "string", "why the picture cannot be used, if so", nullable=True, values=PROBLEMS),
        Column("available_from", "date", "first day in store", nullable=True, minimum=date(1970, 1, 2)),
        Column("available_until", "date", "first day no longer in store", nullable=True, minimum=date(1970, 1, 2)),
    ),
)
