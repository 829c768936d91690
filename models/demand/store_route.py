"""Expected demand from what the store sold (the customer-agnostic route).

The level of a product is the average of a few exponentially weighted means of its daily units, the store's weekly
rhythm taken out. Each is drawn towards the store's usual product by as much as little is known about it. How fast to
forget differs between stores (even trade, or promotions that come and go), so every night each store's own last weeks
choose among a few memories. The same weeks say how wrong a level tends to be: most of the uncertainty of a week.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.demand.counts import quantile
from models.demand.sales_history import DAYS_PER_WEEK, Array, SalesHistory, weekly_rhythm

# Memories to choose from: ages in days at which a day's sales count half, the means of one memory being averaged.
MEMORIES = ((2.0, 7.0, 28.0), (7.0, 28.0), (28.0, 56.0))
DEFAULT_MEMORY = (7.0, 28.0)
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
    memory:      half-lives in days that the store's last weeks chose.
    """

    mean: Array
    dispersion: Array
    level_error: float
    memory: tuple[float, ...]


def forecast_store(history: SalesHistory, horizon_weekdays: NDArray[np.int64]) -> StoreForecast:
    """Expected demand of every product of one store over the horizon, with its uncertainty."""
    memory = choose_memory(history)
    mean = expected_units(history, horizon_weekdays, memory)
    return StoreForecast(mean, dispersion(history), _level_error(history, memory), memory)


def day_variance(mean: Array, dispersion: Array, level_error: float) -> Array:
    """Variance of each day's units, [N, H]."""
    return dispersion[:, None] * mean + level_error * mean**2


def cumulative_variance(mean: Array, dispersion: Array, level_error: float) -> Array:
    """Variance of the units from the first day through each day, [N, H]: a wrong level is wrong on every day."""
    return day_variance(np.cumsum(mean, axis=1), dispersion, level_error)


def expected_units(
    history: SalesHistory, horizon_weekdays: NDArray[np.int64], memory: tuple[float, ...] = DEFAULT_MEMORY
) -> Array:
    """Mean units of each product on each day of the horizon, [N, H]."""
    rhythm = weekly_rhythm(history)
    age = np.arange(history.units.shape[1])[::-1]
    # A day counts by its age and by how much the store usually sells on it: a closed day counts nothing.
    exposure = history.on_shelf * rhythm[history.weekdays]
    sold = history.units * history.on_shelf
    levels = [_level(sold @ weight, exposure @ weight) for weight in (0.5 ** (age / life) for life in memory)]
    values: Array = np.mean(levels, axis=0)[:, None] * rhythm[horizon_weekdays][None, :]
    return values


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
    values: Array = np.clip(ratio, 1.0, MAX_DISPERSION)
    return values


def _level(sold: Array, known: Array) -> Array:
    """Weighted mean of daily units, drawn towards the store's usual product, [N]."""
    usual = sold.sum() / max(known.sum(), PRIOR_DAYS)
    values: Array = (sold + PRIOR_DAYS * usual) / (known + PRIOR_DAYS)
    return values


def choose_memory(history: SalesHistory) -> tuple[float, ...]:
    """The memory whose forecasts of the store's last weeks, each from the days before it, have the least deviance."""
    starts = _week_starts(history)
    if not starts:
        return DEFAULT_MEMORY
    deviances = [sum(_deviance(*_week(history, start, memory)) for start in starts) for memory in MEMORIES]
    return MEMORIES[int(np.argmin(deviances))]


def _level_error(history: SalesHistory, memory: tuple[float, ...]) -> float:
    """Squared relative error of a level: the one whose bands held the wanted share of the last weeks' units."""
    weeks = [(*_week(history, start, memory), dispersion(history.days(0, start))) for start in _week_starts(history)]
    mean, units, ratio = (np.concatenate(parts) for parts in zip(*weeks, strict=True)) if weeks else np.zeros((3, 0))
    enough = mean >= MIN_UNITS_TO_JUDGE
    if enough.sum() < MIN_PRODUCTS_TO_JUDGE:
        return DEFAULT_LEVEL_ERROR
    mean, units, ratio = mean[enough], units[enough], ratio[enough]
    held = []
    for error in LEVEL_ERRORS:
        variance = ratio * mean + error * mean**2
        held.append(((units >= quantile(mean, variance, 0.1)) & (units <= quantile(mean, variance, 0.9))).mean())
    return LEVEL_ERRORS[int(np.argmin(np.abs(np.array(held) - BAND)))]


def _week_starts(history: SalesHistory) -> list[int]:
    """First days of the last weeks that have two weeks of history before them."""
    days = history.units.shape[1]
    starts = [days - DAYS_PER_WEEK * back for back in range(1, VALIDATION_WEEKS + 1)]
    return [start for start in starts if start >= 2 * DAYS_PER_WEEK]


def _week(history: SalesHistory, start: int, memory: tuple[float, ...]) -> tuple[Array, Array]:
    """Expected and actual units of the week from day `start`, over days on which a product was to be had, [N] each."""
    past, week = history.days(0, start), history.days(start, start + DAYS_PER_WEEK)
    mean = (expected_units(past, week.weekdays, memory) * week.on_shelf).sum(axis=1)
    return mean, (week.units * week.on_shelf).sum(axis=1)


def _deviance(mean: Array, units: Array) -> float:
    """Poisson deviance, the loss under which the mean is the best forecast of a count."""
    mean = np.maximum(mean, 1e-6)
    return float(2 * (units * np.log(np.where(units > 0, units, mean) / mean) - (units - mean)).sum())
