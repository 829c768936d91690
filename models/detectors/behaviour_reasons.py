"""Why a funnel is strange, in one sentence with numbers that can be checked in its baskets."""

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
from scipy.sparse import csr_array

from models.detectors.behaviour import KINDS, Verdicts
from models.detectors.days import short_day
from models.detectors.histories import Array, Histories

# Products named in a sentence.
_NAMED = 3
EPOCH = date(1970, 1, 1)

# What one basket of a funnel is called.
_BASKETS = {"customer": ("basket", "baskets"), "store": ("day", "days")}


def explain(histories: Histories, verdicts: Verdicts, today: int, names: Sequence[str], funnel_kind: str) -> list[str]:
    """One sentence per funnel about its strangest kind.

    Args:
        today: days since 1970-01-01, as `histories.day` counts them.
        names: [P]; names of the products.
    """
    last = histories.last
    lines = np.diff(histories.bought.indptr).astype(np.float64)
    each = histories.basket_units / np.maximum(lines, 1)
    one, many = _BASKETS[funnel_kind]
    told = []
    for funnel, position in enumerate(last):
        positions = np.arange(histories.start[funnel], position + 1)
        new, usual = positions[histories.recent[positions]], positions[~histories.recent[positions]]
        day = short_day(EPOCH + timedelta(days=int(histories.day[position])))
        when = f"in the {one} of {day}" if len(new) <= 1 else f"a {one} in the {len(new)} {many} up to {day}"
        kind = KINDS[verdicts.kind[funnel]]
        if kind == "content":
            told.append(f"{_content(histories, funnel, int(position), names)} ({day})")
        elif kind == "lines":
            told.append(f"{_mean(lines[new])} products {when}, usually {_median(lines[usual])}")
        elif kind == "units":
            told.append(f"{_mean(each[new])} units of each product {when}, usually {_median(each[usual])}")
        elif kind == "silence":
            silent = today - histories.day[position]
            told.append(f"{silent} days without a {one} since {day}, usually {_median(histories.gap_days[usual])}")
        else:
            gap = _mean(histories.gap_days[new])
            told.append(f"{gap} days between {many} up to {day}, usually {_median(histories.gap_days[usual])}")
    return told


def _content(histories: Histories, funnel: int, position: int, names: Sequence[str]) -> str:
    """What the basket holds that the history does not, and what it lacks of the usual."""
    bought = _row(histories.units, position)
    known = _row(histories.known, funnel)
    new = sorted(set(bought) - set(known), key=lambda product: (-bought[product], names[product]))
    often = sorted(known, key=lambda product: (-known[product], names[product]))[: max(len(bought), _NAMED)]
    missing = [product for product in often if product not in bought]
    text = f"{len(bought)} products, {len(new)} never bought before{_list(new, names)}"
    if len(missing) == len(often):
        return f"{text}, none of the {len(often)} most usual{_list(missing, names)}"
    return f"{text}, {len(often) - len(missing)} of the {len(often)} most usual"


def _row(matrix: csr_array, row: int) -> dict[int, float]:
    """A sparse row as column -> value."""
    entries = slice(matrix.indptr[row], matrix.indptr[row + 1])
    return dict(zip(matrix.indices[entries].tolist(), matrix.data[entries].tolist(), strict=True))


def _list(products: list[int], names: Sequence[str]) -> str:
    """Some of the products in brackets."""
    if not products:
        return ""
    more = ", ..." if len(products) > _NAMED else ""
    return f" ({', '.join(names[product] for product in products[:_NAMED])}{more})"


def _mean(values: Array) -> str:
    return _number(float(np.nanmean(values))) if np.isfinite(values).any() else "no"


def _median(values: Array) -> str:
    return _number(float(np.nanmedian(values))) if np.isfinite(values).any() else "unknown"


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
