"""Guess how a file is written from its first lines: encoding, delimiter, lines before the header, header, numbers."""

import csv
import gzip
import re
import zipfile
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq

from pipeline.sources.cleaning import EDGES
from pipeline.sources.layout import WHITESPACE
from pipeline.sources.leftovers import is_leftover
from pipeline.sources.opened import PARQUET, encoding_of, refuse_other_than_text
from pipeline.sources.source import SourceError

SAMPLE_BYTES = 1 << 22
SAMPLE_ROWS = 50_000
_DELIMITERS = (";", ",", "\t", "|")
_SEPARATOR = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
_UNREADABLE = (OSError, EOFError, zipfile.BadZipFile, RuntimeError)


class Sample(NamedTuple):
    """A file's keys of layout that differ from the defaults, its column names, and its first rows as text."""

    layout: dict[str, object]
    names: list[str]
    rows: list[list[str]]

    def column(self, index: int) -> list[str]:
        """The values of one column that are not empty."""
        return [row[index] for row in self.rows if row[index]]


def sample_file(path: Path) -> Sample:
    """The first rows of a file.

    Raises: SourceError: for a file that cannot be read or has no rows.
    """
    try:
        if _is_parquet(path):
            return _sample_parquet(path)
        start = _first_bytes(path)
    except _UNREADABLE as error:
        raise SourceError(f"{path}: cannot be read: {type(error).__name__}: {error}") from error
    refuse_other_than_text(start, str(path))
    encoding, text = _decoded(start)
    lines = text.splitlines()
    if not any(line.strip() for line in lines):
        raise SourceError(f"{path}: holds no lines")
    layout: dict[str, object] = {"encoding": encoding} if encoding != "utf-8" else {}
    said = _SEPARATOR.fullmatch(lines[0])
    lines = lines[1:] if said else lines
    delimiter = said[1] if said else _delimiter(lines)
    if delimiter != ",":
        layout["delimiter"] = delimiter
    rows = _parsed(lines[:SAMPLE_ROWS], delimiter)
    width = Counter(len(row) for row in rows if len(row) > 1).most_common(1)
    if not width:
        raise SourceError(f"{path}: no character divides its lines into columns")
    first = next(number for number, row in enumerate(rows) if len(row) == width[0][0])
    if first:
        layout["skip_lines"] = first
    body = [row for row in rows[first:] if len(row) == width[0][0]]
    if _is_header(body):
        return Sample(layout, body[0], body[1:])
    names = [f"column_{number}" for number in range(1, len(body[0]) + 1)]
    return Sample(layout | {"column_names": names}, names, body)


def _is_parquet(path: Path) -> bool:
    """By its name or, under any name, by its first bytes."""
    if path.suffix.lower() == ".parquet":
        return True
    with path.open("rb") as file:
        return file.read(len(PARQUET)) == PARQUET


def _sample_parquet(path: Path) -> Sample:
    file = pq.ParquetFile(path)
    batch = next(file.iter_batches(batch_size=SAMPLE_ROWS), None)
    if batch is None:
        raise SourceError(f"{path}: holds no rows")
    layout: dict[str, object] = {"format": "parquet"}
    if any(file.schema.column(number).physical_type == "INT96" for number in range(len(file.schema))):
        layout["parquet_times"] = "utc"
    rows = [["" if value is None else str(value) for value in row.values()] for row in batch.to_pylist()]
    return Sample(layout, batch.schema.names, rows)


def _first_bytes(path: Path) -> bytes:
    suffix = path.suffix.lower()
    if suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            members = [name for name in archive.namelist() if not name.endswith("/") and not is_leftover(name)]
            if not members:
                raise SourceError(f"{path}: the archive holds no file")
            with archive.open(members[0]) as file:
                return file.read(SAMPLE_BYTES)
    with gzip.open(path) if suffix == ".gz" else path.open("rb") as file:
        return file.read(SAMPLE_BYTES)


def _decoded(start: bytes) -> tuple[str, str]:
    """The encoding and the text, without a last line that may be cut."""
    shown = encoding_of(start[:4])
    for encoding in [shown] if shown else ["utf-8", "cp1252", "iso-8859-1"]:
        try:
            text = start.decode("utf-8-sig" if encoding == "utf-8" else encoding)
        except UnicodeDecodeError as error:
            if error.end < len(start) - 4:
                continue
            text = start[: error.start].decode("utf-8-sig" if encoding == "utf-8" else encoding)
        break
    if len(start) == SAMPLE_BYTES:
        text = text[: text.rfind("\n") + 1]
    return encoding, text


def _delimiter(lines: list[str]) -> str:
    """The character that divides most lines into the same number of columns, more than one."""
    tried = [line for line in lines[:200] if line.strip()]
    best: tuple[float, int, str] = (0.0, 0, WHITESPACE)
    for delimiter in _DELIMITERS:
        widths = Counter(len(row) for row in _parsed(tried, delimiter))
        width, count = max(widths.items(), key=lambda each: (each[1], each[0]))
        # A comma inside of numbers divides as well: of equally regular ones more columns win.
        if width > 1:
            best = max(best, (round(count / len(tried), 1), width, delimiter))
    return best[2]


def _parsed(lines: list[str], delimiter: str) -> list[list[str]]:
    if delimiter == WHITESPACE:
        return [line.split() for line in lines if line.strip()]
    try:
        rows = list(islice(csv.reader(lines, delimiter=delimiter), SAMPLE_ROWS))
    except csv.Error:
        rows = [line.split(delimiter) for line in lines]
    return [[value.strip(EDGES) for value in row] for row in rows if row]


def _is_header(rows: list[list[str]]) -> bool:
    """Whether the first row names columns: no value in it is a number or empty, as some below are."""
    has_digits = re.compile(r"^[-+(]?\d[\d.,:/ -]*\)?$")
    return not any(has_digits.match(value) for value in rows[0]) and len(set(rows[0])) == len(rows[0])
