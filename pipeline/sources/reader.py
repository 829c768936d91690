"""Delivered files as Arrow batches of text, every record with its file and line.

Nothing is judged here but what only the bytes can tell (bytes that are not of the encoding, a wrong number of
columns); values stay text until Spark checks them. Python's csv module does the parsing, because it alone knows which
physical line a record starts on, and reads about as fast as Spark's own reader. A quote that is opened by mistake
costs its own line only: the lines that it swallowed are read again.

Parquet rows count as lines from 1; dates and times in them are written as text in the source's own format.
"""

import csv
import gzip
import io
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.sources.source import Layout, SourceError, described_as

BATCH_RECORDS = 20_000
REPLACEMENT = "\ufffd"
HashLines = Callable[[Sequence[str]], pa.Array]
# What a file, an archive or a codec raises when it is damaged, cut off, encrypted or not what its name says.
_UNREADABLE = (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, pa.ArrowException)


class Record(NamedTuple):
    """One record of a CSV file; `fields` is None where its columns cannot be told apart."""

    line: int
    fields: list[str] | None
    problem: str | None
    text: str


class Records(NamedTuple):
    """A batch of records, as columns; no problems: None."""

    lines: list[int]
    fields: Sequence[list[str] | None]
    problems: list[str | None] | None
    texts: list[str]


class Delivered(NamedTuple):
    """A file to read, under the name that rows carry as `source_file`."""

    path: Path
    label: str


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
            yield from _parquet_batches(delivered, columns, time_format, timezone, hash_lines)
            return
        for name, text in _texts(delivered, layout):
            lines = _Lines(text)
            positions, width = _header(lines, path, layout, columns)
            while batch := _plain_records(lines, layout, width) or _difficult_records(lines, layout, width):
                yield _batch(name, batch, positions, hash_lines)
    except _UNREADABLE as error:
        raise SourceError(f"{path}: cannot be read: {type(error).__name__}: {error}") from error


def check_readable(delivered: Delivered, layout: Layout, columns: dict[str, str]) -> None:
    """Open a file and look for its columns, before any work is started on it.

    Raises: SourceError: naming the file, and the column that is missing.
    """
    path = delivered.path
    try:
        if layout.format == "parquet":
            _find(pq.ParquetFile(path).schema_arrow.names, path, columns)
            return
        for _, text in _texts(delivered, layout):
            _header(_Lines(text), path, layout, columns)
    except _UNREADABLE as error:
        raise SourceError(f"{path}: cannot be read: {type(error).__name__}: {error}") from error


def _texts(delivered: Delivered, layout: Layout) -> Iterator[tuple[str, TextIO]]:
    path, label = delivered
    suffix = path.suffix.lower()
    if suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            if not members:
                raise SourceError(f"{path}: the archive holds no file")
            for member in members:
                name = label if len(members) == 1 else f"{label}/{member.filename}"
                with archive.open(member) as binary:
                    yield name, _decoded(binary, layout)
        return
    with gzip.open(path) if suffix == ".gz" else path.open("rb") as binary:
        yield label, _decoded(binary, layout)


def _decoded(binary: Any, layout: Layout) -> TextIO:
    # utf-8-sig reads files with and without the mark that Excel writes.
    encoding = "utf-8-sig" if layout.encoding == "utf-8" else layout.encoding
    return io.TextIOWrapper(binary, encoding=encoding, errors="replace", newline="")


def _header(lines: "_Lines", path: Path, layout: Layout, columns: dict[str, str]) -> tuple[dict[str, int], int]:
    """Where our columns stand, and how many columns there are."""
    if layout.column_names is not None:
        names = list(layout.column_names)
    else:
        header = next(_records(lines, layout, None), None)
        if header is None or header.fields is None:
            raise SourceError(f"{path}: no header line; if the file has none, give `column_names`")
        names = [name.strip() for name in header.fields]
    return _find(names, path, columns), len(names)


def _find(names: list[str], path: Path, columns: dict[str, str]) -> dict[str, int]:
    for ours, theirs in columns.items():
        if names.count(theirs) != 1:
            found = "is missing" if theirs not in names else f"stands {names.count(theirs)} times in the header"
            there = ", ".join(names)
            raise SourceError(f"{path}: column {theirs!r} ({described_as(ours)}) {found}; there are: {there}")
    return {ours: names.index(theirs) for ours, theirs in columns.items()}


class _Lines:
    """Physical lines; those of the record being read are kept, so that they can be given back."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._returned: list[str] = []
        self.number = 0
        self.record: list[str] = []

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._returned.pop() if self._returned else next(self._text)
        self.number += 1
        self.record.append(line)
        return line

    def give_back(self, keep: int) -> None:
        """All lines of the record but the first `keep` will be read again."""
        self._returned.extend(reversed(self.record[keep:]))
        self.number -= len(self.record) - keep
        del self.record[keep:]

    def take(self, count: int) -> list[str]:
        """The next lines as the record being read; fewer at the end of the file."""
        returned = [self._returned.pop() for _ in range(min(count, len(self._returned)))]
        self.record = returned + list(islice(self._text, count - len(returned)))
        self.number += len(self.record)
        return self.record


def _plain_records(lines: _Lines, layout: Layout, width: int) -> Records | None:
    """A batch in which every line is one right record: nearly all of them, and read at full speed.

    None, with nothing consumed, where a line needs a closer look.
    """
    first = lines.number + 1
    texts = lines.take(BATCH_RECORDS)
    try:
        fields = list(_parser(texts, layout))
    except csv.Error:
        fields = []
    # As many records as lines: none spans two.
    plain = len(fields) == len(texts) and all(len(record) == width for record in fields)
    if not texts or not plain or any(REPLACEMENT in text for text in texts):
        lines.give_back(0)
        return None
    numbers = list(range(first, first + len(texts)))
    return Records(numbers, fields, None, [text.rstrip("\r\n") for text in texts])


def _difficult_records(lines: _Lines, layout: Layout, width: int) -> Records | None:
    """A batch read record by record; None at the end of the file."""
    records = list(islice(_records(lines, layout, width), BATCH_RECORDS))
    if not records:
        return None
    numbers, fields, problems, texts = (list(values) for values in zip(*records, strict=True))
    return Records(numbers, fields, problems, texts)


def _parser(lines: Iterable[str], layout: Layout) -> Iterator[list[str]]:
    if not layout.quote:
        return csv.reader(lines, delimiter=layout.delimiter, quoting=csv.QUOTE_NONE, strict=True)
    return csv.reader(lines, delimiter=layout.delimiter, quotechar=layout.quote, strict=True)


def _records(lines: _Lines, layout: Layout, width: int | None) -> Iterator[Record]:
    parsed = _parser(lines, layout)
    while True:
        first = lines.number + 1
        lines.record.clear()
        try:
            fields: list[str] | None = next(parsed)
        except StopIteration:
            return
        except csv.Error:
            fields = None
        if fields is not None and not fields:
            continue  # an empty line is no record
        right_width = fields is not None and (width is None or len(fields) == width)
        if not right_width:
            fields = None
            lines.give_back(1)
            parsed = _parser(lines, layout)
        text = "".join(lines.record).rstrip("\r\n")
        problem = "bad_encoding" if REPLACEMENT in text else None if right_width else "column_count"
        yield Record(first, fields, problem, text)


def _batch(label: str, records: Records, positions: dict[str, int], hash_lines: "HashLines") -> pa.RecordBatch:
    values = {
        ours: pa.array([record[position] if record else None for record in records.fields], pa.string())
        for ours, position in positions.items()
    }
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
    delivered: Delivered, columns: dict[str, str], time_format: str, timezone: str, hash_lines: "HashLines"
) -> Iterator[pa.RecordBatch]:
    path, label = delivered
    file = pq.ParquetFile(path)
    _find(file.schema_arrow.names, path, columns)
    rows = 0
    for batch in file.iter_batches(batch_size=BATCH_RECORDS):
        texts = {
            name: _as_text(column, f"{path}: column {name!r}", time_format, timezone)
            for name, column in zip(batch.schema.names, batch.columns, strict=True)
            if name in columns.values() or not pa.types.is_nested(column.type)
        }
        hashed = pa.nulls(len(batch), pa.int64())
        if hash_lines is not _no_hashes:
            filled = [pc.fill_null(text, "\x00") for text in texts.values()]
            hashed = hash_lines(pc.binary_join_element_wise(*filled, "\x1f").to_pylist())
        lines = pa.array(range(rows + 1, rows + len(batch) + 1), pa.int64())
        yield _record_batch(label, lines, hashed, {ours: texts[theirs] for ours, theirs in columns.items()})
        rows += len(batch)


def _as_text(column: pa.Array, where: str, time_format: str, timezone: str) -> pa.Array:
    try:
        if pa.types.is_timestamp(column.type):
            zone = column.type.tz
            seconds = pc.floor_temporal(column, unit="second").cast(pa.timestamp("s", zone))
            if zone is not None:
                seconds = seconds.cast(pa.timestamp("s", timezone))
            return pc.strftime(seconds, format=time_format).cast(pa.string())
        if pa.types.is_date(column.type):
            return pc.strftime(column.cast(pa.timestamp("s")), format=time_format).cast(pa.string())
        return column.cast(pa.string())
    except pa.ArrowException as error:
        raise SourceError(f"{where} of type {column.type} cannot be read as text: {error}") from error
