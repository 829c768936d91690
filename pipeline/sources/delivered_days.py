"""Days of a store without lines: closed, as usual, or not delivered, which is said.

A store's day without lines counts as missing where the store sold on at least half of the same weekdays of the eight
weeks before (in its first week: where the chain did; in the chain's first: of all days so far); else it was closed.
After some weeks without a line the days of a store that shut for good thus count as closed by themselves.
"""

from collections.abc import Collection, Mapping, Set
from datetime import date, timedelta
from typing import NamedTuple

from pipeline.tables.store_days import CLOSED, MISSING, SOLD

WEEKS = 8
# A day that did not come is said for four weeks.
SAID_DAYS = 28


class StoreDay(NamedTuple):
    """One calendar day of one store."""

    store_id: str
    day: date
    state: str
    lines: int


def store_days(lines: Mapping[tuple[date, str], int], last: date) -> list[StoreDay]:
    """Every day of every store from its first sale to `last`, in order of store and day.

    Days after `last` are there where they have lines.
    """
    by_store: dict[str, dict[date, int]] = {}
    for (day, store), count in lines.items():
        if count:
            by_store.setdefault(store, {})[day] = count
    chain = {day for days in by_store.values() for day in days}
    return [row for store in sorted(by_store) for row in _days_of(store, by_store[store], chain, last)]


def missing_days(rows: list[StoreDay], last: date) -> list[str]:
    """In words: which of the last four weeks' days did not come, chain by chain or store by store."""
    stores = {row.store_id for row in rows}
    missing: dict[date, list[str]] = {}
    for row in rows:
        if row.state == MISSING and row.day > last - timedelta(days=SAID_DAYS):
            missing.setdefault(row.day, []).append(row.store_id)
    return [f"{day}: {_named(missing[day], stores)}" for day in sorted(missing)]


def _days_of(store: str, lines: Mapping[date, int], chain: Set[date], last: date) -> list[StoreDay]:
    first, rows = min(lines), []
    for number in range((max(last, *lines) - first).days + 1):
        day = first + timedelta(days=number)
        if day in lines:
            rows.append(StoreDay(store, day, SOLD, lines[day]))
        elif day <= last:
            rows.append(StoreDay(store, day, MISSING if _is_usual(day, lines, chain) else CLOSED, 0))
    return rows


def _is_usual(day: date, lines: Collection[date], chain: Set[date]) -> bool:
    weeks = [day - timedelta(weeks=weeks) for weeks in range(1, WEEKS + 1)]
    for sold in (lines, chain):
        earlier = [each for each in weeks if each >= min(sold)]
        if earlier:
            return 2 * sum(each in sold for each in earlier) >= len(earlier)
    first = min(chain)
    earlier = [first + timedelta(days=number) for number in range((day - first).days)]
    return 2 * sum(each in chain for each in earlier) >= len(earlier)


def _named(missing: list[str], stores: set[str]) -> str:
    if set(missing) == stores:
        return "no store's lines came" if len(stores) > 1 else "no lines came"
    shown = ", ".join(sorted(missing)[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
    return f"no lines came of store {shown}"
