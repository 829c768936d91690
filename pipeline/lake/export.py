"""One version of a table as a single file: Parquet as it is, or CSV for people.

In CSV arrays are JSON, and text that a spreadsheet would run as a formula begins with an apostrophe; Parquet keeps
every value.
"""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from pipeline.files import replacing
from pipeline.lake.lake import Lake
from pipeline.tables.catalog import table as contract
from pipeline.text import harmless

PARTITION_TYPES = {"date": pa.date32(), "string": pa.string()}


class ExportError(Exception):
    """The file cannot be written."""


def export(lake: Lake, table: str, version: str, out: Path) -> int:
    """Write a published version to `out` (.parquet or .csv), whole or not at all; returns its rows."""
    write = WRITERS.get(out.suffix.lower())
    if write is None:
        raise ExportError(f"{out} ends with neither .parquet nor .csv, so its format is not known")
    with replacing(out) as aside:
        return write(scan(lake, table, version), aside)


def scan(lake: Lake, table: str, version: str) -> ds.Scanner:
    """The rows of a published version in the contract's column order, read in batches.

    A column that the contract got after the version was written is empty in it.
    """
    described = contract(table)
    kinds = {column.name: column.kind for column in described.columns}
    folders = pa.schema([(name, PARTITION_TYPES[kinds[name]]) for name in described.partition])
    data = ds.dataset(lake.path(table, version), format="parquet", partitioning=ds.partitioning(folders, flavor="hive"))
    known = set(data.schema.names)
    columns = {name: ds.field(name) if name in known else ds.scalar(None) for name in described.column_names}
    return data.scanner(columns=columns)


def _write_parquet(scanner: ds.Scanner, path: Path) -> int:
    rows = 0
    with pq.ParquetWriter(path, scanner.projected_schema, compression="zstd") as writer:
        for batch in scanner.to_batches():
            writer.write_batch(batch)
            rows += batch.num_rows
    return rows


def _write_csv(scanner: ds.Scanner, path: Path) -> int:
    rows = 0
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(scanner.projected_schema.names)
        for batch in scanner.to_batches():
            writer.writerows([_cell(value) for value in row.values()] for row in batch.to_pylist())
            rows += batch.num_rows
    return rows


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return harmless(value)
    return json.dumps(value, default=str) if isinstance(value, list) else value


WRITERS: dict[str, Callable[[ds.Scanner, Path], int]] = {".parquet": _write_parquet, ".csv": _write_csv}
