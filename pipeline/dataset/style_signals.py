"""What a ranking reads beside styles, as of a day: how an article sells, and what a customer did with it before.

All of a day is from purchases before it.
"""

from functools import lru_cache

import numpy as np

from pipeline.dataset.purchases import Purchases

ITEM_SIGNALS = (
    "sold_2",
    "sold_7",
    "sold_14",
    "sold_30",
    "sold_decayed_90",
    "trend",
    "days_since_first",
    "days_since_last",
    "never_sold",
)
OWN_SIGNALS = ("bought", "times", "share_of_orders", "decayed_7", "decayed_30", "decayed_90", "days_since", "overdue")
_WINDOWS = (2, 7, 14, 30)
_DECAY = 90.0
_NEVER_DAYS = 400.0
OWN_DECAYS = (7.0, 30.0, 90.0)


class ItemSignals:
    """Signals of all articles by day; float32 [V, ITEM_SIGNALS]. The latest days asked for are kept."""

    def __init__(self, purchases: Purchases, kept_days: int = 400) -> None:
        order = np.argsort(purchases.times, kind="stable")
        self._times, self._items = purchases.times[order], purchases.items[order]
        self._n_items = purchases.n_items
        self.at = lru_cache(maxsize=kept_days)(self._at)

    def _at(self, day: int) -> np.ndarray:
        end = np.searchsorted(self._times, day)
        times, items = self._times[:end], self._items[:end]
        sold = {days: self._count(items[np.searchsorted(times, day - days) :]) for days in _WINDOWS}
        decayed = np.bincount(items, np.exp((times - day) / _DECAY), self._n_items)
        first, last = np.full(self._n_items, _NEVER_DAYS), np.full(self._n_items, _NEVER_DAYS)
        first[items[::-1]] = day - times[::-1]
        last[items] = day - times
        expected = sold[30] * (7.0 / 30.0)
        columns = [np.log1p(sold[days]) for days in _WINDOWS]
        columns += [np.log1p(decayed), np.log((1.0 + sold[7]) / (1.0 + expected))]
        columns += [np.log1p(first) / 3.0, np.log1p(last) / 3.0, self._count(items) == 0]
        return np.stack(columns, axis=1).astype(np.float32)

    def _count(self, items: np.ndarray) -> np.ndarray:
        return np.bincount(items, minlength=self._n_items)


class PairSignals:
    """What is read of an article as of a day: how it sells, and its numbers.

    Args: numbers: float32 [V, m].
    """

    def __init__(self, of_items: ItemSignals, numbers: np.ndarray) -> None:
        self._of_items, self._numbers = of_items, numbers
        self.width = len(ITEM_SIGNALS) + numbers.shape[1]

    def at(self, day: int, items: np.ndarray) -> np.ndarray:
        """Signals of some articles; int [...] -> float32 [..., S]."""
        return np.concatenate([self._of_items.at(day)[items], self._numbers[items]], axis=-1)

    def never_sold(self, day: int, items: np.ndarray) -> np.ndarray:
        """Whether nobody bought an article before; int [...] -> bool [...]."""
        return self._of_items.at(day)[items, ITEM_SIGNALS.index("never_sold")] > 0


def own_signals(ages: np.ndarray, bought: np.ndarray, n_orders: np.ndarray) -> np.ndarray:
    """What customers did with articles before; float32 [pairs, OWN_SIGNALS].

    Args: ages: float [L], days since each earlier purchase of a pair; bought: int [L], that pair's position;
          n_orders: int [pairs], orders of the pair's customer so far. A pair that was never bought has zeros.
    """
    n = len(n_orders)
    times = np.bincount(bought, minlength=n).astype(float)
    decayed = [np.bincount(bought, np.exp(-ages / days), n) for days in OWN_DECAYS]
    latest, oldest = np.full(n, np.inf), np.zeros(n)
    np.minimum.at(latest, bought, ages)
    np.maximum.at(oldest, bought, ages)
    owned = times > 0
    latest = np.where(owned, latest, 0.0)
    interval = (oldest - latest) / np.maximum(times - 1.0, 1.0)
    overdue = np.where(times > 1, np.log((1.0 + latest) / (1.0 + interval)), 0.0)
    columns = [owned, np.log1p(times), times / np.maximum(n_orders, 1), *(np.log1p(each) for each in decayed)]
    return np.stack([*columns, np.log1p(latest) / 3.0, np.clip(overdue, -3.0, 3.0)], axis=1).astype(np.float32)
