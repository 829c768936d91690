"""Simple forecasts of every product of a store at once, beside which the learned one has to hold its own.

Means of the last days, TSB and IMAPA, which forecasting competitions found hard to beat on intermittent demand. Days on
which the store was shut are left out beforehand. Days on which a product was not to be had are filled with its own mean
of the days on which it was; TSB passes over them, since it would read a part of a unit as a sale of the day.

Source: Teunter, Syntetos, Babai, "Intermittent demand: linking forecasting to inventory obsolescence", 2011 (TSB);
Syntetos, Boylan, "The accuracy of intermittent demand estimates", 2005, and Petropoulos, Kourentzes, "Forecast
combinations for intermittent demand", 2015 (IMAPA). As statsforecast computes them, but for IMAPA's smoothing constant,
which is chosen from a grid instead of by an optimizer.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from models.demand.sales_history import Array, SalesHistory

ALPHA_DEMAND, ALPHA_PROBABILITY = 0.1, 0.1
SMOOTHING = (0.1, 0.15, 0.2, 0.25, 0.3)
MOST_AGGREGATED = 28


def mean_of_days(history: SalesHistory, days: int) -> Array:
    """Mean per day of the last `days` days, [N]; of all days where the shelf was empty on every one of them.

    Days before the first sale count, as they do for whoever divides by the days of the window: what has just begun is
    seldom bought at the rate of its first days.
    """
    units, counted = history.units[:, -days:], ~history.empty[:, -days:]
    known = counted.sum(axis=1)
    recent = (units * counted).sum(axis=1) / np.maximum(known, 1)
    if (known > 0).all() or days >= history.units.shape[1]:
        values: Array = recent
        return values
    return np.where(known > 0, recent, mean_of_days(history, history.units.shape[1]))


def tsb(units: Array, empty: NDArray[np.bool_] | None = None) -> Array:
    """Mean per day by TSB: probability of a sale times its size, both smoothed exponentially, [N] of units [N, T].

    Args: empty: [N, T]; days on which the product was not to be had, which change neither; None: it always was.
    """
    sold = units > 0
    seen_on = np.ones(units.shape, bool) if empty is None else ~empty | sold
    sells = sold.any(axis=1)
    first = np.where(sells, units[np.arange(len(units)), sold.argmax(axis=1)], 0.0)
    size, probability = first, sold[:, :1].any(axis=1).astype(np.float64)
    for day in range(units.shape[1]):
        seen = sold[:, day]
        size = np.where(seen & (day > sold.argmax(axis=1)), size + ALPHA_DEMAND * (units[:, day] - size), size)
        if day:
            probability = probability + ALPHA_PROBABILITY * (seen - probability) * seen_on[:, day]
    return np.where(sells, probability * size, 0.0)


def imapa(units: Array) -> Array:
    """Mean per day by IMAPA: smoothed at every level of aggregation up to the mean interval of sales, averaged, [N]."""
    days = units.shape[1]
    sold = units > 0
    last = np.where(sold.any(axis=1), days - np.argmax(sold[:, ::-1], axis=1), 0)
    interval = last / np.maximum(sold.sum(axis=1), 1)
    levels = np.clip(np.rint(interval), 1, min(MOST_AGGREGATED, days)).astype(int)
    total = np.zeros(len(units))
    for level in range(1, int(levels.max(initial=0)) + 1):
        rows = np.flatnonzero(levels >= level)
        kept = days - days % level
        chunks = units[rows, days - kept :].reshape(len(rows), kept // level, level).sum(axis=2)
        total[rows] += _smoothed(chunks) / level
    values: Array = total / np.maximum(levels, 1)
    return values


def _smoothed(series: Array) -> Array:
    """Simple exponential smoothing, each series [n, T] with the constant under which it foresaw its own past best."""
    best, least = np.zeros(len(series)), np.full(len(series), np.inf)
    for alpha in SMOOTHING:
        level, errors = series[:, 0].copy(), np.zeros(len(series))
        for day in range(1, series.shape[1]):
            errors += (series[:, day] - level) ** 2
            level = level + alpha * (series[:, day] - level)
        best, least = np.where(errors < least, level, best), np.minimum(errors, least)
    return best


def _filled(history: SalesHistory) -> Array:
    """Units with the days of an empty shelf at the product's mean of the other days, [N, T]."""
    mean = mean_of_days(history, history.units.shape[1])
    return np.where(history.empty, mean[:, None], history.units)


# Mean per day [N] of a history, by the method's name.
SIMPLE_METHODS: dict[str, Callable[[SalesHistory], Array]] = {
    "mean-28": lambda history: mean_of_days(history, 28),
    "mean-112": lambda history: mean_of_days(history, 112),
    "tsb": lambda history: tsb(history.units, history.empty),
    "imapa": lambda history: imapa(_filled(history)),
}
