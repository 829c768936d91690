"""A small sales team's files and description, written as a retailer would deliver them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

HEADER = "time,deal,activity,rep"
DESCRIPTION = """
name = "team"
timezone = "Europe/Vienna"
capabilities = ["sale_actions"]

[actions]
files = "done*.csv"
columns = {{ case = "deal", acted_at = "time", action = "activity", agent = "rep" }}
{actions}
[cases]
files = "deals.csv"
columns = {{ case = "deal", outcome = "result" }}
attributes = {{ segment = "segment" }}
numbers = {{ staff = "staff" }}
"""


def describe(folder: Path, *, actions: str = "", without: str = "") -> Path:
    """Write the description; `actions` are further keys of its section, `without` is taken out of the text."""
    file = folder / "team.toml"
    file.write_text(DESCRIPTION.format(actions=actions).replace(without, ""))
    return file


def deliver(folder: Path, done: Sequence[str], deals: Sequence[str]) -> None:
    """Write both files."""
    (folder / "done.csv").write_text("\n".join([HEADER, *done]) + "\n")
    (folder / "deals.csv").write_text("\n".join(["deal,segment,staff,result", *deals]) + "\n")


def procedure(case: int, start: datetime, steps: Sequence[str], agent: str = "ann") -> list[str]:
    """Lines of a case, a day between its actions."""
    return [
        f"{start + timedelta(days=at):%Y-%m-%d %H:%M:%S},d{case:03},{step},{agent}" for at, step in enumerate(steps)
    ]
