"""Taking rows out of versions for good: the one exception to "a version never changes".

File by file: the new content is written aside, made durable, and renamed over the old, so a reader gets either file
whole, and no row that stays is ever missing or doubled. A version being rewritten carries the marker ERASING until its
manifest has been counted again; after a kill the same call goes on where it ended. A file that several versions share
by hard links is written once and linked again. Spark's checksum beside a file goes first, for it would no longer fit.
"""

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from pipeline.files import move, replace_text, sync
from pipeline.lake.lake import Lake, Manifest

MARKER = "ERASING"
ASIDE = ".erasing"

Change = Callable[[pa.Table], pa.Table]


def rewrite(lake: Lake, table: str, concerned: ds.Expression, change: Change) -> dict[str, int]:
    """Change the concerned rows in every version of a table, published or staged.

    Args:    concerned: which rows are meant; must hold for none of them afterwards;
             change: what becomes of a piece of the table that holds concerned rows.
    Returns: per version that was touched, how many rows were concerned.
    Raises:  LakeError: when another process is writing a version of the table.
    """
    touched: dict[str, int] = {}
    written: dict[tuple[int, int], Path] = {}
    with lake.locked(table):
        lake.discard_unfinished(table)
        for folder in lake.folders(table):
            files = sorted((folder / "data").rglob("*.parquet"))
            counts = {file: ds.dataset(file, format="parquet").count_rows(filter=concerned) for file in files}
            marker = folder / MARKER
            if not any(counts.values()) and not marker.exists():
                continue
            marker.touch()
            for leftover in (folder / "data").rglob(f".*{ASIDE}"):
                leftover.unlink()
            for file in files:
                if counts[file]:
                    _replace(file, change, written)
            _count_again(folder)
            marker.unlink()
            touched[folder.name] = touched.get(folder.name, 0) + sum(counts.values())
    return touched


def _replace(file: Path, change: Change, written: dict[tuple[int, int], Path]) -> None:
    """Put the changed content in the file's place, or the file that was made of the same bytes before."""
    status = file.stat()
    aside = file.with_name(f".{file.name}{ASIDE}")
    shared = written.get((status.st_dev, status.st_ino))
    if shared is not None:
        os.link(shared, aside)
    else:
        _write_changed(file, aside, change)
    file.with_name(f".{file.name}.crc").unlink(missing_ok=True)
    move(aside, file)
    if status.st_nlink > 1:
        written.setdefault((status.st_dev, status.st_ino), file)


def _write_changed(file: Path, aside: Path, change: Change) -> None:
    """Piece by piece (row group), so that a file may be larger than memory."""
    with (
        pq.ParquetFile(file) as source,
        pq.ParquetWriter(aside, source.schema_arrow, compression="snappy") as writer,
    ):
        for number in range(source.num_row_groups):
            writer.write_table(change(source.read_row_group(number)))
    sync(aside)


def _count_again(folder: Path) -> None:
    """Rows of the manifest as they now are, and its lines per day where it has them."""
    path = folder / "manifest.json"
    if not path.is_file():
        return
    manifest = Manifest.model_validate_json(path.read_text())
    by_day: Counter[str] = Counter()
    for file in (folder / "data").rglob("*.parquet"):
        by_day[file.parent.name.partition("=")[2]] += pq.read_metadata(file).num_rows
    details = dict(manifest.details)
    if "lines_by_day" in details:
        details["lines_by_day"] = {day: lines for day, lines in sorted(by_day.items()) if lines}
    changed = manifest.model_copy(update={"rows": by_day.total(), "details": details})
    replace_text(path, changed.model_dump_json(indent=1))
