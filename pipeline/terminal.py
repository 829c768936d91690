"""How commands talk to people: errors in one line, money, and names that neither terminal nor spreadsheet obeys."""

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

# The wide forms count as well: some spreadsheets read them as the narrow ones.
FORMULA_BEGINNINGS = tuple("=+-@＝＋－＠")


@contextmanager
def errors_in_one_line(*expected: type[Exception]) -> Iterator[None]:
    """Print an expected error as one line and end with status 1; what is not expected keeps its trace."""
    try:
        yield
    except expected as error:
        typer.echo(f"larder: {error}", err=True)
        raise typer.Exit(1) from None


def money(cents: int) -> str:
    """Currency units with two decimals."""
    return f"{cents / 100:,.2f}"


def plain(value: object) -> Text:
    """A cell shown as it is: no markup is read in it, and no control character reaches the terminal."""
    return Text("".join(character if character.isprintable() else "�" for character in str(value)))


def harmless(text: str) -> str:
    """Text for a cell that no spreadsheet runs: an apostrophe before a formula or a control character."""
    return "'" + text if text.startswith(FORMULA_BEGINNINGS) or unicodedata.category(text[:1] or "a") == "Cc" else text


def print_table(title: str, columns: dict[str, str], rows: list[list[object]]) -> None:
    """A table of plain cells; `columns` gives each heading its justification, `fold` for long text."""
    table = Table(title=Text(title), title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading, place in columns.items():
        if place == "fold":
            table.add_column(heading, overflow="fold")
        else:
            table.add_column(heading, justify="right" if place == "right" else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(plain(cell) for cell in row))
    console = Console()
    # A pipe or a file has no width; 80 columns would cut what the reader came for.
    if not console.is_terminal:
        console.width = 200
    console.print(table)
