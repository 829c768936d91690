"""Names that people write in settings and commands: looked up, with the closest one suggested for a wrong one."""

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from typing import TypeVar

from models.refusal import Refusal

NAMED = 10  # of many names, such as stores or products

Found = TypeVar("Found")


def look_up(what: str, name: str, known: Mapping[str, Found]) -> Found:
    """The value called `name`.

    Raises: Refusal: for another name, with the known ones and the closest of them.
    """
    if name not in known:
        raise Refusal(unknown_name(what, name, known))
    return known[name]


def unknown_name(what: str, name: str, known: Iterable[str]) -> str:
    """Such as: unknown table 'stockout'; known: stock, stockouts; did you mean 'stockouts'?"""
    names = list(known)
    closest = get_close_matches(name, names, n=1)
    suggested = f"; did you mean {closest[0]!r}?" if closest else ""
    return f"unknown {what} {name!r}; known: {', '.join(names) or 'none'}{suggested}"


def closest_of(name: str, known: Collection[str]) -> str:
    """Such as: known: s1, s10, s2 and 40 more; the closest first."""
    similar = get_close_matches(name, known, n=NAMED, cutoff=0)
    rest = f" and {len(known) - len(similar)} more" if len(known) > len(similar) else ""
    return f"known: {', '.join(similar) or 'none'}{rest}"
