"""Lists of a command as CSV, in a file or on standard output."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer


def put_csv(path: Path, rows: Sequence[Mapping[str, Any]], columns: Sequence[str], what: str) -> None:
    """Write these columns of the rows, see `write_csv`; a path of - is standard output.

    Args: what: the rows in the plural, for the line that says how many are in the file.
    """
    from pipeline.alerts.export import write_csv

    if str(path) == "-":
        write_csv(rows, columns, sys.stdout)
        return
    with path.open("w", newline="", encoding="utf-8") as file:
        write_csv(rows, columns, file)
    typer.echo(f"{len(rows)} {what} in {path}")
