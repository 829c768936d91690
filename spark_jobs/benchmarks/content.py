"""Whether two engines made the same tables: one digest per table, whatever the order of rows and files."""

from pathlib import Path

import duckdb

from pipeline.tables.catalog import table as contract

TABLES = ("baskets", "vocabulary", "sequences")


def content_hashes(folder: Path) -> dict[str, str]:
    """Rows and digest of every table under `folder`: the sum of the rows' MD5 over columns cast to one type each.

    DuckDB reads what each engine wrote, so that one reader prints every number and the digests compare content only.
    """
    connection = duckdb.connect()
    return {name: _content_hash(connection, folder / name, name) for name in TABLES}


def _content_hash(connection: duckdb.DuckDBPyConnection, folder: Path, name: str) -> str:
    columns = ", ".join(_canonical(column.name, column.kind) for column in contract(name).columns)
    rows, digest = connection.execute(
        f"SELECT count(*), sum(md5_number_lower(row::VARCHAR)::HUGEINT) "
        f"FROM (SELECT row({columns}) AS row FROM read_parquet('{folder}/**/*.parquet'))"
    ).fetchall()[0]
    return f"{rows} rows, {digest or 0:x}"


def _canonical(name: str, kind: str) -> str:
    if kind == "timestamp":
        return f"epoch_us({name})"
    return f"{name}::{_duckdb_type(kind)}"


def _duckdb_type(kind: str) -> str:
    if kind.startswith("array<"):
        return f"{_duckdb_type(kind[6:-1])}[]"
    if kind.startswith("struct<"):
        fields = (field.split(":") for field in kind[7:-1].split(","))
        return f"STRUCT({', '.join(f'{name} {_duckdb_type(inner)}' for name, inner in fields)})"
    return {"string": "VARCHAR", "int": "INTEGER"}.get(kind, kind.upper())
