"""Names that a version of a table holds, for messages about one that it does not."""

from pathlib import Path


def known_names(folder: Path, column: str) -> set[str]:
    """The distinct values of a text column of a version, without the empty ones."""
    import pyarrow.dataset as ds

    found: set[str | None] = set()
    for batch in ds.dataset(folder, format="parquet").to_batches(columns=[column]):
        found.update(batch.column(0).unique().to_pylist())
    return {name for name in found if name is not None}
