"""What one store sold on its trailing days, and on which of them a product could be bought at all.

A day on which the shelf was empty says nothing about demand: read as zero, it would lower the forecast of exactly the
products that run out. Such days are found three ways: before a product's first sale; the silent days up to now of a
product whose shelf is known to be empty; and silences inside the history that are next to impossible at its own rate.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

DAYS_PER_WEEK = 7
# Weeks of weight given to an even week when the weekly rhythm is estimated.
_PRIOR_WEEKS = 1.0
# A silence in which this many sales were to be expected is an empty shelf: P(none) < 0.001 for a Poisson count.
_IMPOSSIBLE_SILENCE = 7.0
# A shelf that is empty now is taken to have been empty for at most this many silent days; before, nobody asked.
_LONGEST_EMPTY_DAYS = 14


@dataclass(frozen=True)
class SalesHistory:
    """One store's trailing days, oldest first.

    Shapes: N products, T days.
    units:    float64 [N, T]; units sold.
    on_shelf: bool [N, T]; False where the product could not be bought.
    weekdays: int [T]; 0 Monday to 6 Sunday.
    """

    units: Array
    on_shelf: NDArray[np.bool_]
    weekdays: NDArray[np.int64]

    def days(self, first: int, last: int) -> "SalesHistory":
        """The days `first` to `last`, the last one left out."""
        return SalesHistory(self.units[:, first:last], self.on_shelf[:, first:last], self.weekdays[first:last])


def sales_history(
    units: Array, weekdays: NDArray[np.int64], first_day: NDArray[np.int64], empty_now: NDArray[np.bool_]
) -> SalesHistory:
    """The history with the days on which a product was not to be had marked.

    Args:
        units: [N, T].
        first_day: [N]; day, counted from the first one, on which the product was first sold (negative: before it).
        empty_now: [N]; the shelf is known to be empty at the opening after the last day.
    """
    days = np.arange(units.shape[1])
    on_sale = days[None, :] >= first_day[:, None]
    silent_since = len(days) - 1 - _last_sale(units)
    emptied = empty_now[:, None] & (days[None, :] >= len(days) - np.minimum(silent_since, _LONGEST_EMPTY_DAYS)[:, None])
    known = SalesHistory(units, on_sale & ~emptied, weekdays)
    return SalesHistory(units, known.on_shelf & ~_impossible_silences(known), weekdays)


def weekly_rhythm(history: SalesHistory) -> Array:
    """Store's units on each weekday relative to an average day, [7]; 0 on a weekday on which it never sells."""
    daily = history.units.sum(axis=0)
    if daily.sum() <= 0:
        return np.ones(DAYS_PER_WEEK)
    counts = np.bincount(history.weekdays, minlength=DAYS_PER_WEEK)
    sums = np.bincount(history.weekdays, weights=daily, minlength=DAYS_PER_WEEK)
    rhythm = (sums / daily.mean() + _PRIOR_WEEKS) / (counts + _PRIOR_WEEKS)
    return np.where((counts > 1) & (sums == 0), 0.0, rhythm)


def _last_sale(units: Array) -> NDArray[np.int64]:
    """Index of the last day with a sale, [N]; -1 without any."""
    days = units.shape[1]
    return np.where((units > 0).any(axis=1), days - 1 - np.argmax(units[:, ::-1] > 0, axis=1), -1)


def _impossible_silences(history: SalesHistory) -> NDArray[np.bool_]:
    """Days between two sales of a product in a silence that its own rate makes next to impossible, bool [N, T]."""
    units = history.units
    exposure = history.on_shelf * weekly_rhythm(history)[history.weekdays]
    known = exposure.sum(axis=1)
    rate = np.divide(units.sum(axis=1), known, out=np.zeros(len(known)), where=known > 0)
    # Several units in one basket are one reason to come: count sales days, not units, where that is fewer.
    sales_days = np.divide((units > 0).sum(axis=1), known, out=np.zeros(len(known)), where=known > 0)
    expected = np.minimum(rate, sales_days)[:, None] * exposure
    silent = (units == 0) & history.on_shelf
    in_run = _since_last(expected, silent) + _since_last(expected[:, ::-1], silent[:, ::-1])[:, ::-1] - expected
    sold_before = np.cumsum(units, axis=1) > 0
    sold_after = np.cumsum(units[:, ::-1], axis=1)[:, ::-1] > 0
    values: NDArray[np.bool_] = silent & sold_before & sold_after & (in_run > _IMPOSSIBLE_SILENCE)
    return values


def _since_last(expected: Array, silent: NDArray[np.bool_]) -> Array:
    """Expected units since the last day that was not silent, that day's own included while silent, [N, T]."""
    total = np.cumsum(expected, axis=1)
    reset = np.maximum.accumulate(np.where(silent, 0.0, total), axis=1)
    return np.where(silent, total - reset, 0.0)
