"""`larder source`: get a shipped source's files, try a description out, show it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.nightly.environment import SetupError, spark_environment
from pipeline.settings import Settings
from pipeline.sources.source import Source, SourceError, described_as, load_source
from pipeline.terminal import errors_in_one_line, print_table
from pipeline.workspace import Workspace

SHOWN_LINES = 5
# Small and on this machine only, wherever the nightly jobs run.
LOCAL_SPARK = "--master local[2] --driver-memory 1g --conf spark.ui.enabled=false pyspark-shell"

app = typer.Typer(help="The retailers' files: fetch, check and show sources.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="a shipped source (shop, tafeng, csv) or the path of a TOML description")]


@app.command()
def fetch(name: Name) -> None:
    """Get the files of a source that Larder can get by itself: tafeng."""
    with errors_in_one_line(SourceError):
        source = load_source(name)
        if source.name != "tafeng":
            raise SourceError(
                f"source {source.name}: nothing to fetch"
                + (f"; `{source.prepared_by}` makes its files" if source.prepared_by else "; its files are your own")
            )
        from pipeline.sources.tafeng import fetch as fetch_tafeng

        typer.echo(fetch_tafeng(Workspace.of(Settings(), source.name)))


@app.command()
def show(name: Name) -> None:
    """Print a description with every key, defaults included."""
    with errors_in_one_line(SourceError):
        typer.echo(load_source(name).model_dump_json(indent=1))


@app.command()
def init(
    files: Annotated[list[Path], typer.Argument(help="sales files of one kind: CSV, also .gz and .zip, or Parquet")],
    out: Annotated[Path | None, typer.Option(help="the description to write; default: beside the files")] = None,
) -> None:
    """Look at files and write a description of them, to be corrected."""
    from pipeline.sources.proposal import propose

    with errors_in_one_line(SourceError, OSError):
        missing = [path for path in files if not path.is_file()]
        if missing:
            raise SourceError(f"{missing[0]}: no such file")
        folder = out.parent if out else Path(os.path.commonpath([path.resolve().parent for path in files]))
        proposal = propose(files, folder)
        target = out or folder / f"{proposal.keys['name']}.toml"
        if target.exists():
            raise SourceError(f"{target} is there already; name another with --out")
        target.write_text(proposal.toml(), encoding="utf-8")
        typer.echo(proposal.toml())
        typer.echo(f"written to {target}; correct it, then: larder source check {target}")


@app.command()
def check(name: Name) -> None:
    """Try a description on the delivered files: are they found, are all columns there, which lines would be refused."""
    from pipeline.sources.last_day import last_day

    with errors_in_one_line(SourceError, SetupError):
        source = load_source(name)
        workspace = Workspace.of(Settings(), source.name)
        files = source.delivered_files(workspace)
        typer.echo(f"{len(files)} sales files in {source.folder(workspace)}, the first {files[0].name}")
        _show_first_lines(source, files[0])
        _check_headers(source, files)
        _check_others(source, workspace)
        _try_lines(name)
        typer.echo(f"last day of sales: {last_day(source, workspace)}")


def _show_first_lines(source: Source, path: Path) -> None:
    """The first lines as they are written, column by column."""
    from pipeline.sources.opened import Delivered
    from pipeline.sources.reader import read_file

    columns = source.sales_columns
    batches = read_file(
        Delivered(path, path.name), source, columns, time_format=source.time_format, timezone=source.timezone
    )
    batch = next(batches, None)
    shown = batch.slice(0, SHOWN_LINES).to_pylist() if batch is not None else []
    headings = {"Larder's column": "left", "your column": "left"}
    headings |= {f"line {record['source_line']}": "left" for record in shown}
    rows: list[list[object]] = [
        [described_as(ours).removeprefix("columns."), theirs, *(record[ours] for record in shown)]
        for ours, theirs in columns.items()
    ]
    print_table(path.name, headings, rows)


def _try_lines(name: str) -> None:
    """Print which lines the night would refuse, and what would mend them.

    The rules are those of the job that ingests, in Spark's own expressions: a second set of them here would one day
    decide differently. So the checks themselves run, in a process of their own.
    """
    typer.echo("all lines, checked as a night checks them (starting Spark takes some 10 s):")
    command = [sys.executable, "-m", "spark_jobs.try_lines", "--source", name]
    environment = os.environ | spark_environment() | {"PYSPARK_SUBMIT_ARGS": LOCAL_SPARK, "SPARK_LOCAL_IP": "127.0.0.1"}
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    if done.returncode:
        errors = done.stderr.decode(errors="replace").strip().splitlines()
        raise SourceError(errors[-1] if errors else f"the check ended with status {done.returncode}")


def _check_headers(source: Source, files: list[Path]) -> None:
    from pipeline.sources.opened import Delivered
    from pipeline.sources.reader import check_readable

    for path in files:
        check_readable(Delivered(path, path.name), source, source.sales_columns)


def _check_others(source: Source, workspace: Workspace) -> None:
    from pipeline.sources.opened import Delivered
    from pipeline.sources.reader import check_readable

    described = {"stock": source.stock, "resupplies": source.resupplies, "catalogue": source.catalogue}
    for kind, layout in (described | {"sessions": source.sessions}).items():
        if layout is None:
            derived = kind in ("stock", "resupplies")
            typer.echo(f"{kind}: not described" + (", so derived from the sales" if derived else ""))
            continue
        files = source.matching(layout.files, workspace)
        columns = layout.read_columns
        for path in files:
            check_readable(Delivered(path, path.name), layout, columns)
        typer.echo(f"{kind}: {len(files)} files")
