"""Names that people write in settings and commands: looked up, with the closest one suggested for a wrong one."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TypeVar

Found = TypeVar("Found")


def look_up(what: str, name: str, known: Mapping[str, Found]) -> Found:
    """The value called `name`.

    Raises: ValueError: for another name, with the known ones and the closest of them.
    """
    if name not in known:
        raise ValueError(unknown_name(what, name, known))
    return known[name]


def unknown_name(what: str, name: str, known: Iterable[str]) -> str:
    """Such as: unknown table 'stockout'; known: stock, stockouts; did you mean 'stockouts'?"""
    names = list(known)
    closest = get_close_matches(name, names, n=1)
    suggested = f"; did you mean {closest[0]!r}?" if closest else ""
    return f"unknown {what} {name!r}; known: {', '.join(names) or 'none'}{suggested}"
