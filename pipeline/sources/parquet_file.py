"""Parquet files as text: rows count as lines from 1, values are written as the source's own CSV would write them."""

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.sources.cleaning import IDS
from pipeline.sources.layout import Layout
from pipeline.sources.opened import Delivered
from pipeline.sources.source import SourceError
from pipeline.sources.time_format import has_offset

_EXACT = 2.0**53


def text_batches(
    delivered: Delivered,
    layout: Layout,
    columns: dict[str, str],
    *,
    time_format: str = "%Y-%m-%d",
    timezone: str = "UTC",
    rows: int,
) -> Iterator[dict[str, pa.Array]]:
    """Every column that is described or flat as text, by the file's own names.

    Raises: SourceError: for a column that has no text, or times that do not say their zone.
    """
    file = pq.ParquetFile(delivered.path)
    _refuse_int96(file, delivered, layout, list(columns.values()))
    ids = {theirs for ours, theirs in columns.items() if ours in IDS}
    times = _Times(time_format, timezone, layout.parquet_times or "local")
    for batch in file.iter_batches(batch_size=rows):
        texts = {}
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            if name in columns.values() or not pa.types.is_nested(column.type):
                try:
                    texts[name] = times.as_text(_whole(column) if name in ids else column)
                except pa.ArrowException as error:
                    raise SourceError(
                        f"{delivered.path}: column {name!r} of type {column.type} cannot be read as text: {error}"
                    ) from error
        yield texts


def _whole(ids: pa.Array) -> pa.Array:
    """Ids that a gap made floating (17850.0) as whole numbers again."""
    if not pa.types.is_floating(ids.type):
        return ids
    values = ids.cast(pa.float64())
    values = pc.if_else(pc.is_nan(values), pa.scalar(None, pa.float64()), values)
    exact = pc.and_(pc.equal(values, pc.floor(values)), pc.less(pc.abs(values), _EXACT))
    if pc.all(exact).as_py() is False:
        return values
    return values.cast(pa.int64())


class _Times:
    """How times are written: in the source's format, and local, or in UTC where the format has an offset."""

    def __init__(self, time_format: str, timezone: str, naive: str) -> None:
        self._format, self._timezone, self._naive = time_format, timezone, naive
        self._written_in = "UTC" if has_offset(time_format) else timezone

    def as_text(self, column: pa.Array) -> pa.Array:
        if pa.types.is_timestamp(column.type):
            return self._written(pc.floor_temporal(column, unit="second").cast(pa.timestamp("s", column.type.tz)))
        if pa.types.is_date(column.type):
            return pc.strftime(column.cast(pa.timestamp("s")), format=self._format).cast(pa.string())
        return column.cast(pa.string())

    def _written(self, seconds: pa.Array) -> pa.Array:
        zone = seconds.type.tz
        if zone is None and self._naive == "utc":
            seconds, zone = seconds.cast(pa.timestamp("s", "UTC")), "UTC"
        if zone is None and self._written_in != self._timezone:
            seconds = pc.assume_timezone(seconds, self._timezone, ambiguous="earliest", nonexistent="latest")
            zone = self._timezone
        if zone is not None:
            seconds = seconds.cast(pa.timestamp("s", self._written_in))
        return pc.strftime(seconds, format=self._format).cast(pa.string())


def _refuse_int96(file: pq.ParquetFile, delivered: Delivered, layout: Layout, wanted: Sequence[str]) -> None:
    """INT96 stands for a moment in UTC with some writers and for local time with others, and does not say which."""
    for number in range(len(file.schema)):
        column = file.schema.column(number)
        if column.physical_type == "INT96" and column.path in wanted and layout.parquet_times is None:
            raise SourceError(
                f"{delivered.path}: column {column.path!r} holds INT96 times, which do not say their zone; "
                'set `parquet_times = "utc"` (Spark, Impala, Hive write so) or `parquet_times = "local"`'
            )
