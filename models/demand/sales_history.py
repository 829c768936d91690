"""What one store sold on its trailing days, and on which of them a product could be bought at all.

A day on which the shelf was empty, or the store shut, says nothing about demand: read as zero, it would lower the
forecast of exactly the products that run out. Such days are found four ways: before a product's first sale; days on
which the whole store sold nothing although it trades on that weekday; the silent days up to now of a product whose
shelf is known to be empty; and silences inside the history that are next to impossible at its own rate.

Products are counted in purchases: units over what one purchase of the product usually holds. So a product measured in
millilitres weighs no more in the store's rhythm than one sold by the piece.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

DAYS_PER_WEEK = 7
# Weeks of weight given to an even week when the weekly rhythm is estimated.
_PRIOR_WEEKS = 1.0
# A silence in which this many sales were to be expected is an empty shelf: P(none) < 0.001 for a Poisson count.
_IMPOSSIBLE_SILENCE = 7.0
# And it is this many times as long as the product's third longest silence: an empty shelf is rare.
_USUAL_RUN, _UNLIKE_OTHERS = 3, 2.0
# A day is unlike any other beyond so many times the third largest, of a product with as many days of sale.
_SPIKE_TIMES, _SPIKE_RANK, _MIN_SALES_DAYS = 3.0, 3, 5
# A shelf that is empty now is taken to have been empty for at most this many silent days; before, nobody asked.
_LONGEST_EMPTY_DAYS = 14
# Of what sells on fewer days than one in seven, a silence says so if it is less probable than this at the product's
# rate (negative binomial, as in models/demand/silence.py).
_OFTEN, _UNUSUAL_SILENCE = 1.0 / 7.0, 0.2


@dataclass(frozen=True)
class SalesHistory:
    """One store's trailing days, oldest first.

    Shapes: N products, T days.
    units:    float64 [N, T]; purchases: units sold over the product's usual units of one purchase.
    on_shelf: bool [N, T]; False where the product could not be bought.
    weekdays: int [T]; 0 Monday to 6 Sunday.
    closed:   bool [T]; the store did not trade, though it does on that weekday.
    empty:    bool [N, T]; the shelf is known to have been empty.
    kinds:    int64 [N]; products of one kind, such as a category and price range, resemble each other.
    chain:    float64 [N, T]; the product's share of the purchases of all stores through each day; NaN where unknown.
    sales:    what it was made of.
    """

    units: Array
    on_shelf: NDArray[np.bool_]
    weekdays: NDArray[np.int64]
    closed: NDArray[np.bool_]
    empty: NDArray[np.bool_]
    kinds: NDArray[np.int64]
    chain: Array
    sales: "Sales"

    def known_before(self, day: int) -> "SalesHistory":
        """The history as it would have been read at the opening of `day`: nothing of later days shapes it."""
        sales = self.sales
        known = replace(
            sales,
            units=sales.units[:, :day],
            weekdays=sales.weekdays[:day],
            empty_now=np.zeros(len(sales.units), dtype=bool),
            closed=sales.closed[:day],
            chain=sales.chain[:, :day],
        )
        return _marked(known)

    def days(self, first: int, last: int) -> "SalesHistory":
        """The days `first` to `last`, the last one left out."""
        return self._columns(slice(first, last))

    def trading(self) -> "SalesHistory":
        """Without the days on which the store was shut."""
        return self._columns(~self.closed) if self.closed.any() else self

    def _columns(self, days: slice | NDArray[np.bool_]) -> "SalesHistory":
        return SalesHistory(
            self.units[:, days],
            self.on_shelf[:, days],
            self.weekdays[days],
            self.closed[days],
            self.empty[:, days],
            self.kinds,
            self.chain[:, days],
            self.sales,
        )


@dataclass(frozen=True)
class Sales:
    """What `sales_history` is given, whole."""

    units: Array
    weekdays: NDArray[np.int64]
    first_day: NDArray[np.int64]
    empty_now: NDArray[np.bool_]
    closed: NDArray[np.bool_]
    finds_closed: bool
    kinds: NDArray[np.int64]
    chain: Array


def sales_history(
    units: Array,
    weekdays: NDArray[np.int64],
    first_day: NDArray[np.int64],
    empty_now: NDArray[np.bool_],
    *,
    closed: NDArray[np.bool_] | None = None,
    finds_closed: bool = True,
    kinds: NDArray[np.int64] | None = None,
    chain: Array | None = None,
) -> SalesHistory:
    """The history with the days on which a product was not to be had marked.

    Args:
        units: [N, T]; purchases.
        first_day: [N]; day, counted from the first one, on which the product was first sold (negative: before it).
        empty_now: [N]; the shelf is known to be empty at the opening after the last day.
        closed: [T]; days on which the store is known not to have traded; None where none is known.
        finds_closed: days without a sale where that is next to impossible count as closed as well.
        kinds: [N]; None makes all products one kind.
        chain: [N, T]; shares in all stores through each day; None for a store without others.
    """
    return _marked(
        Sales(
            units,
            weekdays,
            first_day,
            empty_now,
            np.zeros(units.shape[1], dtype=bool) if closed is None else closed,
            finds_closed,
            np.zeros(len(units), np.int64) if kinds is None else kinds,
            np.full(units.shape, np.nan) if chain is None else chain,
        )
    )


def _marked(sales: Sales) -> SalesHistory:
    units, days = without_spikes(sales.units), np.arange(sales.units.shape[1])
    closed = sales.closed | closed_days(units.sum(axis=0), sales.weekdays) if sales.finds_closed else sales.closed
    on_sale = (days[None, :] >= sales.first_day[:, None]) & ~closed[None, :]
    silent_since = len(days) - 1 - _last_sale(units)
    lately = days[None, :] >= len(days) - np.minimum(silent_since, _LONGEST_EMPTY_DAYS)[:, None]
    emptied = (sales.empty_now & _says_since_when(units, sales.first_day, silent_since))[:, None] & lately
    known = SalesHistory(units, on_sale & ~emptied, sales.weekdays, closed, emptied, sales.kinds, sales.chain, sales)
    return replace(known, on_shelf=known.on_shelf & ~_impossible_silences(known))


def _says_since_when(units: Array, first_day: NDArray[np.int64], silent_since: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether a shelf that is empty now has probably been so through the product's silence up to now, bool [N].

    The silence of what sells once a month says nothing of its shelf: counted as no demand lost, it is one of many.
    """
    # A week more than was seen: one sale on the first day does not say that the product sells daily.
    before = np.maximum(units.shape[1] - np.maximum(first_day, 0) - silent_since, 1) + DAYS_PER_WEEK
    sales_days = (units > 0).sum(axis=1)
    silence = (before / (before + silent_since)) ** sales_days
    values: NDArray[np.bool_] = (sales_days >= _OFTEN * before) | (silence < _UNUSUAL_SILENCE)
    return values


def without_spikes(units: Array) -> Array:
    """Units with days unlike any other cut, [N, T]: to a few times the third largest day of the product.

    A promotion lasts for some days and stays as it was; what happened once or twice says nothing of the weeks to come.
    """
    if units.shape[1] < _SPIKE_RANK:
        return units
    third = np.partition(units, -_SPIKE_RANK, axis=1)[:, -_SPIKE_RANK]
    limit = np.where((units > 0).sum(axis=1) >= _MIN_SALES_DAYS, _SPIKE_TIMES * third, np.inf)
    cut: Array = np.minimum(units, limit[:, None])
    return cut


def closed_days(purchases: Array, weekdays: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Days on which the store was shut for once: nothing sold where that is next to impossible, bool [T].

    Only weekdays of trade count: those on which the store sold something in half of the weeks in which it sold at all.
    On any other weekday it is shut every week, which its rhythm says. A small store with a quiet day was not shut.

    Args: purchases: [T]; of the whole store.
    """
    traded = purchases > 0
    if not traded.any():
        return np.zeros(len(purchases), dtype=bool)
    week = (np.arange(len(purchases)) + weekdays[0]) // DAYS_PER_WEEK
    in_use = (np.bincount(week, weights=traded) > 0)[week]
    counts = np.maximum(np.bincount(weekdays[in_use], minlength=DAYS_PER_WEEK), 1)
    opened = np.bincount(weekdays[traded], minlength=DAYS_PER_WEEK)
    usual = np.bincount(weekdays, weights=purchases, minlength=DAYS_PER_WEEK) / counts
    expected = np.where(2 * opened >= counts, usual, 0.0)[weekdays]
    in_run = _in_run(expected[None, :], ~traded[None, :])[0]
    values: NDArray[np.bool_] = ~traded & (expected > 0) & (in_run > _IMPOSSIBLE_SILENCE)
    return values


def weekly_rhythm(history: SalesHistory) -> Array:
    """Store's purchases on each weekday relative to an average day, [7]; 0 on a weekday on which it never sells."""
    weekdays, daily = history.weekdays[~history.closed], history.units.sum(axis=0)[~history.closed]
    if daily.sum() <= 0:
        return np.ones(DAYS_PER_WEEK)
    counts = np.bincount(weekdays, minlength=DAYS_PER_WEEK)
    sums = np.bincount(weekdays, weights=daily, minlength=DAYS_PER_WEEK)
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
    in_run = _in_run(expected, silent)
    begins = silent & ~np.pad(silent[:, :-1], [(0, 0), (1, 0)])
    # What is bought in bursts is silent for long again and again; an empty shelf is unlike the other silences.
    runs = np.sort(np.where(begins, in_run, 0.0), axis=1)
    usual = runs[:, -_USUAL_RUN] if units.shape[1] >= _USUAL_RUN else np.zeros(len(units))
    sold_before = np.cumsum(units, axis=1) > 0
    sold_after = np.cumsum(units[:, ::-1], axis=1)[:, ::-1] > 0
    least = np.maximum(_IMPOSSIBLE_SILENCE, _UNLIKE_OTHERS * usual)
    values: NDArray[np.bool_] = silent & sold_before & sold_after & (in_run > least[:, None])
    return values


def _in_run(expected: Array, silent: NDArray[np.bool_]) -> Array:
    """Expected units of the whole run of silent days that each day lies in, [N, T]; of silent days only."""
    before, after = _since_last(expected, silent), _since_last(expected[:, ::-1], silent[:, ::-1])[:, ::-1]
    return before + after - expected


def _since_last(expected: Array, silent: NDArray[np.bool_]) -> Array:
    """Expected units since the last day that was not silent, that day's own included while silent, [N, T]."""
    total = np.cumsum(expected, axis=1)
    reset = np.maximum.accumulate(np.where(silent, 0.0, total), axis=1)
    return np.where(silent, total - reset, 0.0)
