"""How much of a delivery could be used: per file, per day, and against the nights of the month before.

A file or day of which next to nothing can be used is no delivery with faults but a wrong description, a changed export
or a broken file; its night stops. Lines refused as repeated count on neither side: a file sent twice is no harm.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

REPEATED = "duplicate_line"
# Refused as the description says: no fault of the delivery.
EXPECTED = frozenset({REPEATED, "not_a_product"})
# A few refused lines are no sign of a wrong description, however short the file.
FEW = 3
MONTH_DAYS = 31
# Tonight's share of refused lines that is worth a notice: so many times the month's, and so many lines.
JUMP = 3.0
JUMP_LINES = 20


class Refusal(NamedTuple):
    """How many lines of a file and day one reason cost; the day is None where it cannot be read."""

    file: str
    day: date | None
    reason: str
    column: str | None
    lines: int


def unusable(
    accepted_by_file: Mapping[str, int],
    accepted_by_day: Mapping[date, int],
    refusals: Iterable[Refusal],
    min_share: float,
) -> list[str]:
    """In words: the files and days of which less than `min_share` can be used, or nothing at all."""
    counted = [refusal for refusal in refusals if refusal.reason not in EXPECTED]
    by_file: dict[str, list[Refusal]] = {}
    by_day: dict[date, list[Refusal]] = {}
    for refusal in counted:
        by_file.setdefault(refusal.file, []).append(refusal)
        if refusal.day is not None:
            by_day.setdefault(refusal.day, []).append(refusal)
    found = []
    for file, refused in sorted(by_file.items()):
        lost = sum(each.lines for each in refused)
        taken = accepted_by_file.get(file, 0)
        if taken == 0 or (lost > FEW and taken < min_share * (taken + lost)):
            found.append(_in_words(f"file {file}", lost, taken, refused))
    for day, refused in sorted(by_day.items()):
        lost = sum(each.lines for each in refused)
        taken = accepted_by_day.get(day, 0)
        if lost > FEW and taken < min_share * (taken + lost):
            found.append(_in_words(f"day {day}", lost, taken, refused))
    return found


def by_reason(refusals: Iterable[Refusal]) -> dict[str, int]:
    """Refused lines by reason and delivered column, most frequent first."""
    counts: Counter[str] = Counter()
    for refusal in refusals:
        counts[f"{refusal.reason} ({refusal.column})" if refusal.column else refusal.reason] += refusal.lines
    return dict(counts.most_common())


def remembered_nights(
    before: Mapping[str, Any], night: date, rows: int, refusals: Iterable[Refusal]
) -> dict[str, dict[str, Any]]:
    """By business date the delivered and the refused lines of the last month's nights, this one included."""
    first = (night - timedelta(days=MONTH_DAYS)).isoformat()
    kept = {day: dict(counts) for day, counts in before.items() if first <= day < night.isoformat()}
    if rows:
        refused = by_reason(refusal for refusal in refusals if refusal.reason not in EXPECTED)
        kept[night.isoformat()] = {"lines": rows, "refused": refused}
    return kept


def jump(nights: Mapping[str, Mapping[str, Any]], night: date) -> str | None:
    """What to tell people when far more is refused than in the month before; None where it is not so."""
    tonight = nights.get(night.isoformat())
    earlier = [counts for day, counts in nights.items() if day != night.isoformat()]
    if not tonight or not earlier:
        return None
    refused, lines = sum(tonight["refused"].values()), tonight["lines"]
    usual = sum(sum(each["refused"].values()) for each in earlier) / sum(each["lines"] for each in earlier)
    if refused < JUMP_LINES or refused / lines < JUMP * usual:
        return None
    reasons = ", ".join(f"{reason} {count}" for reason, count in tonight["refused"].items())
    return f"{refused} of {lines} lines refused ({refused / lines:.1%}; {usual:.1%} in the month before): {reasons}"


def _in_words(what: str, lost: int, taken: int, refused: list[Refusal]) -> str:
    reasons = ", ".join(f"{reason} {lines}" for reason, lines in by_reason(refused).items())
    return f"{what}: {lost} of {lost + taken} lines cannot be used ({reasons})"
