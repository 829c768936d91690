"""`larder table`, `versions`, `rollback`, `accept`: looking at tables, and choosing what is read."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.lake.lake import Lake, LakeError
from pipeline.settings import Settings
from pipeline.sources.source import SourceError, load_source
from pipeline.tables.catalog import TABLES
from pipeline.tables.catalog import table as contract
from pipeline.terminal import errors_in_one_line, print_table
from pipeline.workspace import Workspace

Name = Annotated[str, typer.Argument(help="a table; `larder table` lists them")]
Version = Annotated[str, typer.Argument(help="a version; `larder versions NAME` lists them")]
Source = Annotated[str | None, typer.Option(help="shop, tafeng, csv, or the path to a TOML description")]


def table(
    name: Annotated[str | None, typer.Argument(help="a table; without one, all are listed")] = None,
    *,
    version: Annotated[str | None, typer.Option(help="a published version; default: the current one")] = None,
    out: Annotated[Path | None, typer.Option(help="write the rows to this .parquet or .csv file")] = None,
    content: Annotated[bool, typer.Option("--hash", help="print a hash of the rows, whatever their order")] = False,
    without: Annotated[
        list[str] | None, typer.Option(help="with --hash: a column to leave out; may be repeated")
    ] = None,
    source: Source = None,
) -> None:
    """List the tables, describe one, export one with --out, or compare two versions by --hash."""
    from pipeline.lake.content import content_hash
    from pipeline.lake.export import ExportError, export

    with errors_in_one_line(SourceError, LakeError, ValueError, ExportError, OSError):
        lake = _lake(source)
        if name is None:
            _print_tables(lake)
        elif content:
            contract(name)
            chosen = version or lake.resolve(name)
            rows, digest = content_hash(lake, name, chosen, without or ())
            typer.echo(f"{name} {chosen}: {rows} rows, {digest}")
        elif out is None:
            _print_columns(name)
        else:
            contract(name)
            chosen = version or lake.resolve(name)
            rows = export(lake, name, chosen, out)
            typer.echo(f"{rows} rows of {name}, version {chosen}, in {out}")


def versions(name: Name, source: Source = None) -> None:
    """The published versions of a table, oldest first; * marks the one that readers get."""
    with errors_in_one_line(SourceError, LakeError, ValueError):
        lake = _lake(source)
        contract(name)
        current = lake.current(name)
        rows: list[list[object]] = []
        for version in lake.versions(name):
            manifest = lake.manifest(name, version)
            inputs = ", ".join(f"{table} {used}" for table, used in manifest.inputs.items())
            rows.append(["*" if version == current else "", version, manifest.business_date, manifest.rows, inputs])
        columns = {"": "left", "version": "left", "night": "left", "rows": "right", "made from": "fold"}
        print_table(f"{name} in {lake.root}", columns, rows)


def rollback(name: Name, version: Version, source: Source = None) -> None:
    """Let readers get an earlier version of a table again; nothing is deleted."""
    with errors_in_one_line(SourceError, LakeError, ValueError):
        lake = _lake(source)
        contract(name)
        before = lake.current(name)
        lake.rollback(name, version)
        typer.echo(f"readers of {name} get {version}; before: {before}")


def accept(name: Name, version: Version, source: Source = None) -> None:
    """Publish a version that its audit refused, because you know why it is right; its manifest says so."""
    with errors_in_one_line(SourceError, LakeError, ValueError):
        lake = _lake(source)
        contract(name)
        lake.staged_path(name, version)
        lake.claim(name, version)
        manifest = lake.manifest(name, version)
        lake.describe(manifest.model_copy(update={"details": manifest.details | {"accepted_by_operator": True}}))
        lake.publish(name, version)
        typer.echo(f"{name} {version} is published; readers get {lake.current(name)}")


def _lake(source: str | None) -> Lake:
    settings = Settings()
    return Workspace.of(settings, load_source(settings.source if source is None else source).name).lake


def _print_tables(lake: Lake) -> None:
    rows: list[list[object]] = []
    for described in TABLES.values():
        current = lake.current(described.name)
        count = lake.manifest(described.name, current).rows if current else "-"
        rows.append([described.name, described.grain, count, current or "not made yet"])
    columns = {"table": "left", "one row is": "fold", "rows": "right", "current version": "left"}
    print_table(f"tables in {lake.root}", columns, rows)


def _print_columns(name: str) -> None:
    described = contract(name)
    rows: list[list[object]] = [
        [column.name, column.kind, column.unit, "yes" if column.nullable else "", column.meaning]
        for column in described.columns
    ]
    columns = {"column": "left", "type": "fold", "unit": "left", "may be null": "left", "meaning": "fold"}
    print_table(f"{name}: one row is {described.grain}; key {', '.join(described.key)}", columns, rows)
