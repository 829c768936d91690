"""Expected demand from what the store sold (the customer-agnostic route).

The level of a product is the average of three exponentially weighted means of its daily units, the store's weekly
rhythm taken out: one that forgets in days (promotions), one in a week, one in a month. Each is drawn towards the
store's usual product by as much as little is known about it. The store's own last weeks say how wrong a level tends
to be, which is most of the uncertainty of a week.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.detectors.counts import quantile
from models.detectors.sales_history import DAYS_PER_WEEK, Array, SalesHistory, weekly_rhythm

# Ages in days at which a day's sales count half. Their average forecast Ta-Feng better than any one of them did.
HALF_LIVES = (2.0, 7.0, 28.0)
# Days of weight given to the store's usual product.
PRIOR_DAYS = 0.2
# Variance-to-mean ratio of a day's units: days of weight given to the store's pooled ratio, and its bound.
PRIOR_DISPERSION_DAYS = 28.0
MAX_DISPERSION = 100.0
# Squared relative error of a level: the candidates, and what is taken where too little was sold to measure it.
LEVEL_ERRORS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0)
DEFAULT_LEVEL_ERROR = 0.1
VALIDATION_WEEKS = 3
MIN_UNITS_TO_JUDGE = 3.0
MIN_PRODUCTS_TO_JUDGE = 20
# The band from the 10 % to the 90 % quantile shall hold this share of what happens.
BAND = 0.8


@dataclass(frozen=True)
class StoreForecast:
    """Expected units of one store.

    Shapes: N products, H days of the horizon.
    mean:        float64 [N, H].
    dispersion:  float64 [N]; variance of a day's units over their mean, at least 1.
    level_error: squared relative error of a product's level, common to all days of the horizon.
    """

    mean: Array
    dispersion: Array
    level_error: float


def forecast_store(history: SalesHistory, horizon_weekdays: NDArray[np.int64]) -> StoreForecast:
    """Expected demand of every product of one store over the horizon, with its uncertainty."""
    return StoreForecast(expected_units(history, horizon_weekdays), dispersion(history), _level_error(history))


def day_variance(mean: Array, dispersion: Array, level_error: float) -> Array:
    """Variance of each day's units, [N, H]."""
    return dispersion[:, None] * mean + level_error * mean**2


def cumulative_variance(mean: Array, dispersion: Array, level_error: float) -> Array:
    """Variance of the units from the first day through each day, [N, H]: a wrong level is wrong on every day."""
    return day_variance(np.cumsum(mean, axis=1), dispersion, level_error)


def expected_units(history: SalesHistory, horizon_weekdays: NDArray[np.int64]) -> Array:
    """Mean units of each product on each day of the horizon, [N, H]."""
    rhythm = weekly_rhythm(history)
    age = np.arange(history.units.shape[1])[::-1]
    # A day counts by its age and by how much the store usually sells on it: a closed day counts nothing.
    exposure = history.on_shelf * rhythm[history.weekdays]
    sold = history.units * history.on_shelf
    levels = [_level(sold @ weight, exposure @ weight) for weight in (0.5 ** (age / life) for life in HALF_LIVES)]
    return np.mean(levels, axis=0)[:, None] * rhythm[horizon_weekdays][None, :]


def dispersion(history: SalesHistory) -> Array:
    """Variance-to-mean ratio of a day's units about the product's own level, drawn towards the pooled one, [N]."""
    exposure = history.on_shelf * weekly_rhythm(history)[history.weekdays]
    sold = history.units * history.on_shelf
    known = exposure.sum(axis=1)
    level = np.divide(sold.sum(axis=1), known, out=np.zeros(len(known)), where=known > 0)
    mean = level[:, None] * exposure
    squares = np.divide((sold - mean) ** 2, mean, out=np.zeros_like(mean), where=mean > 0).sum(axis=1)
    freedom = np.maximum((mean > 0).sum(axis=1) - 1, 0)
    pooled = squares.sum() / max(freedom.sum(), 1)
    ratio = (squares + PRIOR_DISPERSION_DAYS * pooled) / (freedom + PRIOR_DISPERSION_DAYS)
    return np.clip(ratio, 1.0, MAX_DISPERSION)


def _level(sold: Array, known: Array) -> Array:
    """Weighted mean of daily units, drawn towards the store's usual product, [N]."""
    usual = sold.sum() / max(known.sum(), PRIOR_DAYS)
    return (sold + PRIOR_DAYS * usual) / (known + PRIOR_DAYS)


def _level_error(history: SalesHistory) -> float:
    """Squared relative error of a level: the one whose bands held the wanted share of the last weeks' units."""
    days = history.units.shape[1]
    starts = [days - DAYS_PER_WEEK * back for back in range(1, VALIDATION_WEEKS + 1)]
    judged = [_judge_week(history, start) for start in starts if start >= 2 * DAYS_PER_WEEK]
    if sum(len(mean) for mean, _, _ in judged) < MIN_PRODUCTS_TO_JUDGE:
        return DEFAULT_LEVEL_ERROR
    mean, units, ratio = (np.concatenate(parts) for parts in zip(*judged, strict=True))
    held = []
    for error in LEVEL_ERRORS:
        variance = ratio * mean + error * mean**2
        held.append(((units >= quantile(mean, variance, 0.1)) & (units <= quantile(mean, variance, 0.9))).mean())
    return LEVEL_ERRORS[int(np.argmin(np.abs(np.array(held) - BAND)))]


def _judge_week(history: SalesHistory, start: int) -> tuple[Array, Array, Array]:
    """Expected and actual units of the week from day `start`, and dispersion, of products sold enough to judge by.

    Only days on which a product could be bought count.
    """
    past, week = history.days(0, start), history.days(start, start + DAYS_PER_WEEK)
    mean = (expected_units(past, week.weekdays) * week.on_shelf).sum(axis=1)
    units = (week.units * week.on_shelf).sum(axis=1)
    enough = mean >= MIN_UNITS_TO_JUDGE
    return mean[enough], units[enough], dispersion(past)[enough]
