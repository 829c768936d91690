"""How commands talk to people: errors in one line, money, and tables of plain cells."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.text import one_line, without_passwords


@contextmanager
def errors_in_one_line(*expected: type[Exception]) -> Iterator[None]:
    """Print an expected error as one line and end with status 1; what is not expected keeps its trace.

    Expected everywhere is what the machine refuses: a full disk, a folder that may not be written, a closed port.
    """
    kinds: tuple[type[Exception], ...] = (*expected, OSError)
    try:
        yield
    except kinds as error:
        # Some messages have lines of their own, such as that of a failed night.
        typer.echo(
            "\n".join(one_line(line) for line in without_passwords(f"larder: {in_words(error)}").split("\n")), err=True
        )
        raise typer.Exit(1) from None


def in_words(error: BaseException) -> str:
    """What an error says; of a system error the reason and the file, without its number."""
    if isinstance(error, OSError) and error.strerror and error.errno:
        return ": ".join(str(part) for part in (error.strerror, error.filename, error.filename2) if part)
    return str(error)


def money(cents: int) -> str:
    """Currency units with two decimals."""
    return f"{cents / 100:,.2f}"


def plain(value: object) -> Text:
    """A cell shown as it is: no markup is read in it, and no control character reaches the terminal."""
    return Text(one_line(value))


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
