"""Delivered files as Arrow batches of text, every record with its file and line.

Nothing is judged here but what only the bytes can tell (bytes that are not of the encoding, a wrong number of
columns); values stay text until Spark checks them. Parquet rows count as lines from 1. Every value comes cleaned of
what stands around it (pipeline/sources/cleaning.py).
"""

import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from hashlib import blake2b
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.sources.cleaning import EDGES, clean
from pipeline.sources.csv_records import BATCH_RECORDS, Lines, Records, batches, preamble, records
from pipeline.sources.layout import Layout
from pipeline.sources.opened import Delivered, texts
from pipeline.sources.parquet_file import text_batches
from pipeline.sources.source import SourceError, described_as

HashLines = Callable[[Sequence[str]], pa.Array]
# What a file, an archive or a codec raises when it is damaged, cut off, encrypted or not what its name says.
_UNREADABLE = (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, pa.ArrowException)


def read_file(
    delivered: Delivered,
    layout: Layout,
    columns: dict[str, str],
    *,
    time_format: str = "%Y-%m-%d",
    timezone: str = "UTC",
    hashes: bool = False,
    hash_key: bytes = b"",
) -> Iterator[pa.RecordBatch]:
    """The records of one file, in order; a zip archive's members follow each other.

    Args:    columns: our name -> the name in the header; `time_format` and `timezone` are for Parquet times.
    Returns: source_file, source_line, problem (None, bad_encoding or column_count), line_text (only with a problem),
        line_hash (equal for equal lines; null unless `hashes`; keyed with `hash_key`, so that ids cannot be tried
        out on it), then our columns as text.
    Raises:  SourceError: naming the file, and the column that is missing.
    """
    path = delivered.path
    hash_lines = partial(_hashes, key=hash_key) if hashes else _no_hashes
    try:
        if layout.format == "parquet":
            as_text = partial(text_batches, time_format=time_format, timezone=timezone, rows=BATCH_RECORDS)
            yield from _parquet_batches(delivered, layout, columns, as_text, hash_lines)
            return
        for name, text in texts(delivered, layout):
            lines = Lines(text, layout.comment)
            dialect = preamble(lines, layout)
            positions, width = _header(lines, path, dialect, columns)
            for batch in batches(lines, dialect, width):
                yield _batch(name, batch, positions, dialect, hash_lines)
    except _UNREADABLE as error:
        raise SourceError(f"{path}: cannot be read: {type(error).__name__}: {error}") from error


def check_readable(delivered: Delivered, layout: Layout, columns: dict[str, str]) -> None:
    """Open a file and look for its columns, before any work is started on it.

    Raises: SourceError: naming the file, and the column that is missing.
    """
    path = delivered.path
    try:
        if layout.format == "parquet":
            _find(pq.ParquetFile(path).schema_arrow.names, path, in_file(columns, layout))
            next(text_batches(delivered, layout, in_file(columns, layout), rows=1), None)
            return
        for _, text in texts(delivered, layout):
            lines = Lines(text, layout.comment)
            _header(lines, path, preamble(lines, layout), columns)
    except _UNREADABLE as error:
        raise SourceError(f"{path}: cannot be read: {type(error).__name__}: {error}") from error


def in_file(columns: dict[str, str], layout: Layout) -> dict[str, str]:
    """The columns that stand in the file itself, without those that the description makes constant."""
    return {ours: theirs for ours, theirs in columns.items() if ours not in layout.constants}


def _header(lines: "Lines", path: Path, layout: Layout, columns: dict[str, str]) -> tuple[dict[str, int], int]:
    """Where our columns stand, and how many columns there are."""
    if layout.column_names is not None:
        names = list(layout.column_names)
    else:
        header = next(records(lines, layout, None), None)
        if header is None or header.fields is None:
            raise SourceError(f"{path}: no header line; if the file has none, give `column_names`")
        names = [name.strip(EDGES) for name in header.fields]
    return _find(names, path, in_file(columns, layout)), len(names)


def _find(names: list[str], path: Path, columns: dict[str, str]) -> dict[str, int]:
    for ours, theirs in columns.items():
        if names.count(theirs) != 1:
            found = "is missing" if theirs not in names else f"stands {names.count(theirs)} times in the header"
            there = ", ".join(names)
            raise SourceError(f"{path}: column {theirs!r} ({described_as(ours)}) {found}; there are: {there}")
    return {ours: names.index(theirs) for ours, theirs in columns.items()}


def _batch(
    label: str, records: Records, positions: dict[str, int], layout: Layout, hash_lines: "HashLines"
) -> pa.RecordBatch:
    values = {
        ours: clean(
            ours, pa.array([record[position] if record else None for record in records.fields], pa.string()), layout
        )
        for ours, position in positions.items()
    }
    values |= _constants(layout, len(records.lines))
    shown = None
    if records.problems:
        shown = [text if problem else None for text, problem in zip(records.texts, records.problems, strict=True)]
    lines = pa.array(records.lines, pa.int64())
    return _record_batch(label, lines, hash_lines(records.texts), values, problems=records.problems, texts=shown)


def _hashes(texts: Sequence[str], key: bytes) -> pa.Array:
    # Compared within one day only: among a million lines two others agree in 64 bits once in 30 million nights.
    digests = [blake2b(text.encode(), digest_size=8, key=key).digest() for text in texts]
    return pa.array(digests, pa.binary(8)).view(pa.int64())


def _no_hashes(texts: Sequence[str]) -> pa.Array:
    return pa.nulls(len(texts), pa.int64())


def _constants(layout: Layout, rows: int) -> dict[str, pa.Array]:
    return {ours: pa.array([value] * rows, pa.string()) for ours, value in layout.constants.items()}


def _record_batch(
    label: str,
    lines: pa.Array,
    hashes: pa.Array,
    values: dict[str, pa.Array],
    *,
    problems: list[str | None] | None = None,
    texts: list[str | None] | None = None,
) -> pa.RecordBatch:
    rows = len(lines)
    return pa.RecordBatch.from_pydict(
        {
            "source_file": pa.array([label] * rows, pa.string()),
            "source_line": lines,
            "problem": pa.array(problems, pa.string()) if problems else pa.nulls(rows, pa.string()),
            "line_text": pa.array(texts, pa.string()) if texts else pa.nulls(rows, pa.string()),
            "line_hash": hashes,
            **values,
        }
    )


def _parquet_batches(
    delivered: Delivered,
    layout: Layout,
    columns: dict[str, str],
    as_text: Callable[[Delivered, Layout, dict[str, str]], Iterator[dict[str, pa.Array]]],
    hash_lines: HashLines,
) -> Iterator[pa.RecordBatch]:
    described = in_file(columns, layout)
    _find(pq.ParquetFile(delivered.path).schema_arrow.names, delivered.path, described)
    rows = 0
    for written in as_text(delivered, layout, described):
        count = len(next(iter(written.values())))
        hashed = pa.nulls(count, pa.int64())
        if hash_lines is not _no_hashes:
            filled = [pc.fill_null(text, "\x00") for text in written.values()]
            hashed = hash_lines(pc.binary_join_element_wise(*filled, "\x1f").to_pylist())
        lines = pa.array(range(rows + 1, rows + count + 1), pa.int64())
        values = {ours: clean(ours, written[theirs], layout) for ours, theirs in described.items()}
        yield _record_batch(delivered.label, lines, hashed, values | _constants(layout, count))
        rows += count
