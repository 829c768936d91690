"""`larder source`: get a shipped source's files, try a description out, show it."""

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from pipeline.settings import Settings
from pipeline.sources.source import Source, SourceError, load_source
from pipeline.terminal import errors_in_one_line, print_table
from pipeline.workspace import Workspace

TRIED_LINES = 20_000
SHOWN_LINES = 5

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
def check(name: Name) -> None:
    """Try a description on the delivered files: are they found, which columns are read, what do the first lines say."""
    with errors_in_one_line(SourceError):
        source = load_source(name)
        workspace = Workspace.of(Settings(), source.name)
        files = source.delivered_files(workspace)
        typer.echo(f"{len(files)} sales files in {source.folder(workspace)}, the first {files[0].name}")
        _try_sales(source, files[0])
        _check_headers(source, files)
        _check_others(source, workspace)
        typer.echo(f"last day of sales: {source.last_day(workspace)}")


def _try_sales(source: Source, path: Path) -> None:
    from pipeline.sources.reader import Delivered, read_file

    columns = source.columns.delivered()
    problems: Counter[str] = Counter()
    shown: list[dict[str, str | None]] = []
    lines = 0
    for batch in read_file(
        Delivered(path, path.name), source, columns, time_format=source.time_format, timezone=source.timezone
    ):
        for record in batch.to_pylist():
            lines += 1
            problem = record["problem"] or _date_problem(record["sold_at"], source.time_format)
            problems.update([problem] if problem else [])
            if len(shown) < SHOWN_LINES:
                shown.append({ours: record[ours] for ours in columns} | {"problem": problem})
        if lines >= TRIED_LINES:
            break
    headings = {"Larder's column": "left", "your column": "left"}
    headings |= {f"line {number}": "left" for number in range(1, len(shown) + 1)}
    rows: list[list[object]] = [[ours, theirs, *(str(row[ours]) for row in shown)] for ours, theirs in columns.items()]
    print_table(path.name, headings, rows)
    told = ", ".join(f"{count} {reason}" for reason, count in problems.most_common())
    typer.echo(f"{lines} lines tried; refused for their form: {told or 'none'}")


def _date_problem(text: str | None, time_format: str) -> str | None:
    try:
        datetime.strptime((text or "").strip(), time_format)
    except ValueError:
        return f"unparseable_date (not like {time_format!r})"
    return None


def _check_headers(source: Source, files: list[Path]) -> None:
    from pipeline.sources.reader import Delivered, check_readable

    for path in files:
        check_readable(Delivered(path, path.name), source, source.columns.delivered())


def _check_others(source: Source, workspace: Workspace) -> None:
    from pipeline.sources.reader import Delivered, check_readable

    for kind, layout in (("stock", source.stock), ("resupplies", source.resupplies), ("catalogue", source.catalogue)):
        if layout is None:
            typer.echo(f"{kind}: not described" + ("" if kind == "catalogue" else ", so derived from the sales"))
            continue
        files = source.matching(layout.files, workspace)
        columns = layout.columns.delivered()
        for path in files:
            check_readable(Delivered(path, path.name), layout, columns)
        typer.echo(f"{kind}: {len(files)} files")
