"""Why a funnel is strange, in one sentence with numbers that can be checked in its baskets."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from models.behaviour.detection import KINDS, BehaviourScores
from models.behaviour.funnel_baskets import Array, FunnelBaskets, Integers
from models.days import day_of, short_day

# Products named in a sentence.
_NAMED = 3
# A ratio to the usual is named from this multiple on.
_WORTH_SAYING = 1.5

# What one basket of a funnel is called.
_BASKETS = {"customer": ("basket", "baskets"), "store": ("day", "days")}


def explain(
    histories: FunnelBaskets, scores: BehaviourScores, today: int, names: Sequence[str], funnel_kind: str
) -> list[str]:
    """One sentence per funnel about its strangest kind.

    Args:
        today: days since 1970-01-01, as `histories.day` counts them.
        names: [P]; names of the products.
    """
    sentences = []
    for funnel, position in enumerate(histories.last):
        positions = np.arange(histories.start[funnel], position + 1)
        is_new = histories.recent[positions]
        sight = _Sight(histories, funnel, positions[is_new], positions[~is_new], _BASKETS[funnel_kind])
        kind = KINDS[scores.kind[funnel]]
        if kind == "content":
            sentences.append(f"{_content(histories, funnel, int(position), names)} ({sight.day})")
        elif kind == "size":
            sentences.append(_size(sight))
        elif kind == "quantity":
            sentences.append(_quantity(sight, names))
        else:
            sentences.append(_timing(sight, kind, today))
    return sentences


@dataclass(frozen=True)
class _Sight:
    """One funnel's recent baskets and those of its history, as positions, and what its baskets are called."""

    histories: FunnelBaskets
    funnel: int
    new: Integers
    usual: Integers
    words: tuple[str, str]

    @property
    def last(self) -> int:
        """The latest basket."""
        return int(self.histories.last[self.funnel])

    @property
    def day(self) -> str:
        """Day of the latest basket."""
        return short_day(day_of(self.histories.day[self.last]))

    @property
    def when(self) -> str:
        """Which baskets are meant."""
        one, many = self.words
        if len(self.new) <= 1:
            return f"in the {one} of {self.day}"
        return f"a {one} in the {len(self.new)} {many} up to {self.day}"

    def ratio(self, values: Array) -> float:
        """Mean of the new baskets by the median of the usual ones."""
        usual = float(np.median(values[self.usual])) if len(self.usual) else np.nan
        return float(np.mean(values[self.new])) / usual if len(self.new) and usual > 0 else np.nan


def _size(sight: _Sight) -> str:
    of = sight.histories
    ratio = _times(sight.ratio(of.lines), f"the usual {sight.words[0]}")
    new = f"{_mean(of.lines[sight.new])} products and {_mean(of.basket_units[sight.new])} units {sight.when}"
    return f"{ratio}{new}, usually {_median(of.lines[sight.usual])} and {_median(of.basket_units[sight.usual])}"


def _quantity(sight: _Sight, names: Sequence[str]) -> str:
    of = sight.histories
    each = of.basket_units / of.lines
    ratio = _times(sight.ratio(each), "the usual units")
    bought = _row(of.units, sight.last)
    most = sorted(bought, key=lambda product: (-bought[product], names[product]))[:_NAMED]
    named = ", ".join(f"{_number(bought[product])} of {names[product]}" for product in most)
    usual = _median(each[sight.usual])
    return f"{ratio}{_mean(each[sight.new])} units of each product {sight.when}, usually {usual} ({named})"


def _timing(sight: _Sight, kind: str, today: int) -> str:
    of, (one, many) = sight.histories, sight.words
    usual = _median(of.gap_days[sight.usual])
    every = "every day" if usual == "1" else f"every {usual} days"
    if kind == "silence":
        silent = today - int(of.day[sight.last]) - int(of.shut_since[sight.last])
        overdue = silent - float(np.nanmedian(of.gap_days[sight.usual])) if len(sight.usual) > 1 else float(silent)
        return f"{_number(overdue)} days overdue: a {one} {every}, last on {sight.day}"
    gap = _mean(of.gap_days[sight.new])
    if kind == "later" and len(sight.new) <= 1:
        return f"back on {sight.day} after {gap} days, usually {every}"
    return f"{gap} days between {many} up to {sight.day}, usually {usual}"


def _times(ratio: float, what: str) -> str:
    """How many times the usual, where that is worth a word."""
    return f"{_number(ratio)} times {what}: " if np.isfinite(ratio) and ratio >= _WORTH_SAYING else ""


def _content(histories: FunnelBaskets, funnel: int, position: int, names: Sequence[str]) -> str:
    """What the basket holds that the history does not, and what it lacks of the usual."""
    bought = _row(histories.units, position)
    known = _row(histories.known, funnel)
    new = sorted(set(bought) - set(known), key=lambda product: (-bought[product], names[product]))
    often = sorted(known, key=lambda product: (-known[product], names[product]))[: max(len(bought), _NAMED)]
    missing = [product for product in often if product not in bought]
    products = "1 product" if len(bought) == 1 else f"{len(bought)} products"
    text = f"{products}, {len(new)} never bought before{_list(new, names)}"
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
