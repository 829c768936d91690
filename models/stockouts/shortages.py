"""Which shelves will be short, and what that costs (LENS, Algorithm 2).

The paper sets predicted quantities on predicted days against resupplies and alerts where the residual is negative. By
default the opening stock is added and the residual cumulated, because what is left today is sold tomorrow; the
paper's per-day residual stays available. Demand on an empty shelf is lost, not kept for later:
the units lost by a day are the largest cumulative shortage up to it.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.days import short_day
from models.demand.counts import Array, exceed_probability, expected_excess, quantile
from models.severities import severity_of
from models.stockouts.calibration import UNCHANGED, Calibration
from models.stockouts.first_shortage import short_by as short_by_any

Residual = Literal["cumulative", "per_day"]

# Value at risk against what a product of the store usually sells in the horizon: above these it weighs 1, 2.
_VALUE_STEPS = (0.5, 2.0)
_SOON_DAYS = 2


@dataclass(frozen=True)
class Shelves:
    """Products of one store over the horizon.

    Shapes: N products, H days.
    mean, variance, cumulative_variance: [N, H]; expected demand of `expected_demand`.
    on_hand: [N]; units at opening of the first day.
    arriving: [N, H]; units arriving before the opening of each day.
    calibration: what the store's last weeks make of a stated probability.
    """

    mean: Array
    variance: Array
    cumulative_variance: Array
    on_hand: Array
    arriving: Array
    calibration: Calibration = UNCHANGED


@dataclass(frozen=True)
class Shortage:
    """What is expected of each shelf.

    residual:      [N, H]; supply less demand, cumulated or by day.
    short_on:      [N, H]; calibrated probability that supply does not reach for the day (cumulative: for all demand up
        to it).
    short_by:      [N, H]; probability of being short on or before (cumulative) or on (per day) each day.
    units_short:   [N]; expected units unserved within the horizon.
    days_of_cover: [N]; days that stock and arrivals last at the expected demand, at most the horizon.
    is_alert:      bool [N].
    short_day:     int [N]; first day, counted from 0, on which the shelf is expected short; of alerts only.
    """

    residual: Array
    short_on: Array
    short_by: Array
    units_short: Array
    days_of_cover: Array
    is_alert: NDArray[np.bool_]
    short_day: NDArray[np.int64]


def find_shortages(shelves: Shelves, min_probability: float, residual: Residual = "cumulative") -> Shortage:
    """Compare the demand and the supply of every shelf.

    Cumulative: an alert is a shelf short with at least `min_probability`, on the first day that reaches it.
    Per day (the paper): an alert is a negative residual, on the first such day; the opening stock plays no part.
    """
    short: NDArray[np.bool_]
    if residual == "per_day":
        left = shelves.arriving - shelves.mean
        chance = exceed_probability(shelves.mean, shelves.variance, shelves.arriving)
        short_on = short_by = shelves.calibration.apply(chance)
        lost = expected_excess(shelves.mean, shelves.variance, shelves.arriving).sum(axis=1)
        short = np.less(left, 0.0)
    else:
        supply = shelves.on_hand[:, None] + np.cumsum(shelves.arriving, axis=1)
        demand = np.cumsum(shelves.mean, axis=1)
        left = supply - demand
        chance = exceed_probability(demand, shelves.cumulative_variance, supply)
        short_on = shelves.calibration.apply(chance)
        any_of = short_by_any(chance, shelves.mean, shelves.variance, shelves.cumulative_variance)
        short_by = shelves.calibration.apply(any_of)
        lost = expected_excess(demand, shelves.cumulative_variance, supply).max(axis=1)
        short = short_by >= min_probability
        # Without demand nothing is short: a threshold of 0 would otherwise alert every product.
        short &= short_by > 0
    is_alert, first = np.any(short, axis=1), short.argmax(axis=1)
    return Shortage(left, short_on, short_by, lost, _days_of_cover(shelves), is_alert, first)


def severity(value_at_risk: Array, short_day: NDArray[np.int64], usual_value: float) -> list[str]:
    """Severity of each alert: 0 to 2 points for the value at risk, against what a product of the store usually sells
    in the horizon (`usual_value`), and 1 for being short within two days.
    """
    points = (short_day < _SOON_DAYS).astype(int)
    for step in _VALUE_STEPS:
        points += value_at_risk >= step * usual_value
    return [severity_of(point) for point in points]


def reasons(shelves: Shelves, shortage: Shortage, horizon: list[date], residual: Residual = "cumulative") -> list[str]:
    """One sentence per shelf with the numbers that made it: "12 on hand and 20 arriving by Thu 5 Mar against 41
    expected by Fri 6 Mar"; of shelves that are no alert, about the first day.
    """
    rows = np.arange(len(shelves.on_hand))
    day = shortage.short_day
    if residual == "per_day":
        return [
            f"{_units(shelves.arriving[row, ahead])} arriving on {short_day(horizon[ahead])} against "
            f"{_units(shelves.mean[row, ahead])} expected that day"
            for row, ahead in zip(rows, day, strict=True)
        ]
    demand = np.cumsum(shelves.mean, axis=1)[rows, day]
    at_most = quantile(demand, shelves.cumulative_variance[rows, day], 0.9)
    reasons = []
    for row, ahead in zip(rows, day, strict=True):
        arriving = shelves.arriving[row, : ahead + 1]
        supply = f"{_units(shelves.on_hand[row])} on hand"
        if arriving.any():
            supply += f" and {_units(arriving.sum())} arriving by {short_day(horizon[np.flatnonzero(arriving)[-1]])}"
        else:
            supply += " and nothing arriving"
        reasons.append(
            f"{supply} against {_units(demand[row])} expected (9 times in 10 at most {at_most[row]:.0f}) "
            f"by {short_day(horizon[ahead])}"
        )
    return reasons


def _units(value: float) -> str:
    """Whole units as they are, parts of small numbers to a tenth."""
    return f"{value:.1f}" if value < 10 and abs(value - round(value)) >= 0.05 else f"{value:.0f}"


def _days_of_cover(shelves: Shelves) -> Array:
    """Whole days served, and the part served of the first day that is not."""
    horizon = shelves.mean.shape[1]
    cover = np.full(len(shelves.mean), float(horizon))
    open_ended = np.ones(len(shelves.mean), dtype=bool)
    shelf = shelves.on_hand.astype(np.float64)
    for day in range(horizon):
        shelf = shelf + shelves.arriving[:, day]
        demand = shelves.mean[:, day]
        runs_out = open_ended & (shelf < demand)
        cover[runs_out] = day + shelf[runs_out] / demand[runs_out]
        open_ended &= ~runs_out
        shelf = np.maximum(shelf - demand, 0.0)
    return cover
