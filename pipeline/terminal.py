"""How commands talk to people: errors in one line, money, and tables of plain cells."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import typer
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from models.directions import GAIN
from models.names import look_up
from pipeline.text import one_line, without_passwords

Choice = TypeVar("Choice", bound=str)

BLOCKS_BELOW = 120  # columns: a list of alerts with ids, products and reasons is no table on less
READABLE = 24  # columns that long text has at least; less is a tower of syllables
WIDTH_OF_A_PIPE = 200
WIDEST = 10_000
INDENT = 4


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


def one_of(known: Iterable[Choice], what: str) -> Callable[[str], Choice]:
    """A parser of an option: one of the known words; another word ends the command with status 1.

    The message is a line that names the known values and the closest, as for a table or a store.
    """

    def parse(word: str) -> Choice:
        with errors_in_one_line(ValueError):
            return look_up(what, word, {str(one): one for one in known})

    return parse


def money(cents: int) -> str:
    """Currency units with two decimals."""
    return f"{cents / 100:,.2f}"


def at_risk(cents: int, direction: str | None) -> str:
    """The money that may be lost, or `gain` where more is spent than usual."""
    return GAIN if direction == GAIN else money(cents)


def plain(value: object) -> Text:
    """A cell shown as it is: no markup is read in it, and no control character reaches the terminal."""
    return Text(one_line(value))


def print_table(
    title: str, columns: dict[str, str], rows: list[list[object]], block: tuple[str, str] | None = None
) -> None:
    """A table of plain cells, or one block of lines per row on a terminal that is too narrow for the table.

    No cell is ever cut. Args:
        columns: each heading with the place of its cells: `left`, `right`, or `fold` for long text.
        block:   the two lines of a row on a terminal of less than `BLOCKS_BELOW` columns, with cells by heading, such
                 as `("{id}  store {store}", "{reason}")`; without it, headings stand beside their cells.
    """
    console = Console()
    # A pipe or a file has no width; 80 columns would cut what the reader came for.
    if not console.is_terminal:
        console.width = WIDTH_OF_A_PIPE
    table = _table(title, columns, rows)
    fits = Measurement.get(console, console.options.update(max_width=WIDEST), table).minimum <= console.width
    if fits and (block is None or console.width >= BLOCKS_BELOW):
        console.print(table)
        return
    console.print(Text(one_line(title), style="bold"))
    for row in rows:
        cells = dict(zip(columns, map(one_line, row), strict=True))
        first, *rest = (
            _labelled(cells, columns, console.width) if block is None else [line.format_map(cells) for line in block]
        )
        # Nothing is cut: what is longer than the line goes on in the next one.
        console.print(Text(first, overflow="fold"))
        for line in rest:
            console.print(Padding(Text(line, overflow="fold"), (0, 0, 0, INDENT), expand=False))


def _table(title: str, columns: dict[str, str], rows: list[list[object]]) -> Table:
    table = Table(title=plain(title), title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for number, (heading, place) in enumerate(columns.items()):
        if place == "fold":
            longest = max((cell_len(one_line(row[number])) for row in rows), default=0)
            table.add_column(heading, overflow="fold", min_width=min(longest, READABLE))
        else:
            table.add_column(heading, justify="right" if place == "right" else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(plain(cell) for cell in row))
    return table


def _labelled(cells: dict[str, str], columns: dict[str, str], width: int) -> list[str]:
    """The cells with their headings: what the row is called, then short cells side by side, then long ones."""
    name: list[str] = []
    short: list[str] = []
    long: list[str] = []
    is_named = False
    for heading, cell in cells.items():
        if not cell:
            continue
        said = f"{heading} {cell}".strip()
        if columns[heading] == "fold":
            long.append(said)
        elif is_named:
            # Side by side as far as the line goes; a heading stays beside its cell.
            joined = f"{short[-1]}  {said}" if short else said
            short[-1:] = [joined] if not short or cell_len(joined) <= width - INDENT else [short[-1], said]
        else:
            name.append(said)
            is_named = bool(heading.strip())
    return ["  ".join(name), *short, *long]
