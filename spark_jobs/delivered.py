"""Delivered files as Spark frames of text, and text as numbers and days: what the three ingest jobs share.

A file is read by one task, front to back, because only so are its line numbers right and compressed files readable at
all; many files are spread over tasks by size.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from pipeline.sources.case_layout import ActionFiles
from pipeline.sources.layout import Layout
from pipeline.sources.opened import Delivered
from pipeline.sources.reader import check_readable, read_file
from pipeline.sources.session_layout import SessionFiles
from pipeline.sources.source import Source, SourceError
from pipeline.sources.time_format import FIRST_OF_LAST_CENTURY, java_pattern

UNREADABLE = "unreadable"
MONEY = "decimal(20,6)"
UNITS = "decimal(13,6)"
_COLUMNS = "source_file string, source_line bigint, problem string, line_text string, line_hash bigint"


def read_delivered(
    spark: SparkSession,
    files: list[Delivered],
    source: Source,
    layout: Layout,
    columns: dict[str, str],
    *,
    key: bytes | None = None,
) -> DataFrame:
    """One row per record: what `pipeline.sources.reader.read_file` returns.

    A file that breaks off while it is read gives a row with the problem `unreadable`; `refuse_unreadable` looks for it.

    Args:   key: of a source that pseudonymises its customers; the hashes of its lines are keyed with it.
    Raises: SourceError: for a file that cannot be opened or lacks a column.
    """
    for delivered in files:
        check_readable(delivered, layout, columns)
    tasks = _spread(files, 4 * spark.sparkContext.defaultParallelism)
    schema = _schema(columns)
    names = ["source_file", "source_line", "problem", "line_text", "line_hash", *columns]
    options = _sales_options(source, key) if layout is source else _options(source, layout)

    def read(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for task in batch.column(0).to_pylist():
                for delivered in tasks[task]:
                    try:
                        for records in read_file(delivered, layout, columns, **options):
                            yield records.select(names)
                    except SourceError as error:
                        yield _unreadable(delivered, str(error), names)

    if not tasks:
        return spark.createDataFrame([], schema)
    return spark.range(0, len(tasks), 1, len(tasks)).mapInArrow(read, schema)


def read_first(spark: SparkSession, files: list[Delivered], source: Source, most: int) -> DataFrame:
    """The first `most` sales records in the order of the files, as `read_delivered` gives them; read by the driver.

    Raises: SourceError: for a file that cannot be read or lacks a column.
    """
    columns = source.sales_columns
    batches = (batch for each in files for batch in read_file(each, source, columns, **_sales_options(source, None)))
    first: list[pa.RecordBatch] = []
    while most > 0 and (batch := next(batches, None)) is not None:
        first.append(batch.slice(0, most))
        most -= len(batch)
    if not first:
        return spark.createDataFrame([], _schema(columns))
    return spark.createDataFrame(pa.Table.from_batches(first))


def broken_files(files: list[Delivered], source: Source) -> dict[str, str]:
    """Sales files that cannot be opened or lack a column, by label with the reason.

    Raises: SourceError: for the first of them, unless the source puts such files into quarantine.
    """
    broken = {}
    for delivered in files:
        try:
            check_readable(delivered, source, source.sales_columns)
        except SourceError as error:
            if source.unreadable_files == "stop":
                raise
            broken[delivered.label] = str(error)
    return broken


def broken_off(checked: DataFrame, source: Source) -> dict[str, str]:
    """Sales files that broke off while they were read, by label with the reason.

    Raises: SourceError: for the first of them, unless the source puts such files into quarantine.
    """
    lines = checked.where(F.col("fault.reason") == UNREADABLE).select("source_file", "fault.*")
    if source.unreadable_files == "stop":
        refuse_unreadable(lines, "reason", "value")
        return {}
    return {row.source_file: row.value for row in lines.collect()}


def refuse_unreadable(lines: DataFrame, problem: str = "problem", message: str = "line_text") -> None:
    """Raises: SourceError: for a file that broke off while it was read."""
    broken = lines.where(F.col(problem) == UNREADABLE).select(message).first()
    if broken is not None:
        raise SourceError(broken[0])


def text(column: str) -> Column:
    """A delivered value without surrounding blanks; null where nothing is left."""
    trimmed = F.trim(F.col(column))
    return F.when(trimmed != "", trimmed)


def read_time(value: Column, time_format: str) -> Column:
    """The text as a time, one without an offset as if it were UTC; null where it is none."""
    if "%f" in time_format:
        # Spark keeps microseconds; databases write up to nine digits.
        value = F.regexp_replace(value, r"([.,:]\d{6})\d{1,3}(?!\d)", "$1")
    if "%z" in time_format:
        # Offsets are written with a colon and without; Spark's pattern knows one of them.
        value = F.regexp_replace(value, r"([+-]\d\d):(\d\d)$", "$1$2")
    read = F.try_to_timestamp(value, F.lit(java_pattern(time_format)))
    if "%y" in time_format:
        read = F.when(F.year(read) < 2000 + FIRST_OF_LAST_CENTURY, read).otherwise(
            read - F.make_ym_interval(F.lit(100))
        )
    return read


def is_number(value: Column, layout: Layout) -> Column:
    """Whether a text is written as a number of this layout, digits in groups of three where groups are used."""
    point = rf"\{layout.decimal}"
    whole = rf"\d+|\d{{1,3}}(?:\{layout.thousands}\d{{3}})+" if layout.thousands else r"\d+"
    return value.rlike(rf"^[+-]?(?:(?:{whole})(?:{point}\d*)?|{point}\d+)(?:[eE][+-]?\d{{1,4}})?$")


def number(value: Column, layout: Layout, kind: str) -> Column:
    """The text as a decimal of `kind`; null where it is no number or too large for it."""
    plain = F.regexp_replace(value, rf"\{layout.thousands}", "") if layout.thousands else value
    plain = F.translate(plain, layout.decimal, ".") if layout.decimal != "." else plain
    return F.when(is_number(value, layout), plain.try_cast(kind))


def _schema(columns: dict[str, str]) -> str:
    return ", ".join([_COLUMNS, *(f"{name} string" for name in columns)])


def _sales_options(source: Source, key: bytes | None) -> dict[str, Any]:
    """How `read_file` reads sales; the key is cut to what BLAKE2 takes."""
    hashes = source.duplicates == "reject"
    return {
        "time_format": source.time_format,
        "timezone": source.timezone,
        "hashes": hashes,
        "hash_key": (key or b"")[:64],
    }


def _options(source: Source, layout: Layout) -> dict[str, Any]:
    """How `read_file` reads files beside the sales."""
    times = {"time_format": layout.time_format} if isinstance(layout, ActionFiles | SessionFiles) else {}
    return {"timezone": source.timezone, **times}


def _spread(files: list[Delivered], most: int) -> list[list[Delivered]]:
    """Files in at most `most` groups of about equal bytes; largest first, each to the lightest group."""
    groups: list[list[Delivered]] = [[] for _ in range(min(most, len(files)))]
    weights = [0] * len(groups)
    sizes = {delivered: delivered.path.stat().st_size for delivered in files}
    for delivered in sorted(files, key=lambda each: (-sizes[each], each.label)):
        lightest = weights.index(min(weights))
        groups[lightest].append(delivered)
        weights[lightest] += sizes[delivered] + 1
    return groups


def _unreadable(delivered: Delivered, message: str, names: list[str]) -> pa.RecordBatch:
    row = {"source_file": delivered.label, "source_line": 1, "problem": UNREADABLE, "line_text": message}
    kinds = {"source_line": pa.int64(), "line_hash": pa.int64()}
    return pa.RecordBatch.from_pydict({name: pa.array([row.get(name)], kinds.get(name, pa.string())) for name in names})
