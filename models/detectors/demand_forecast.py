"""A forecast of daily units with its uncertainty, as every route to expected demand gives it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import nbinom

Array = NDArray[np.float64]

_RATIOS = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0, 8.0)
_ERRORS = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0, 1.5, 2.0)
_SMALLEST_MEAN = 0.01


@dataclass(frozen=True)
class DemandForecast:
    """Expected units of N products over H days, each [N, H]; units are negative binomial.

    mean:                expected units of the day.
    variance:            of the day's units.
    cumulative_variance: of the units from the first day through the day, whose mean is the sum of the means.
    """

    mean: Array
    variance: Array
    cumulative_variance: Array

    @property
    def cumulative_mean(self) -> Array:
        """Expected units from the first day through each day."""
        return np.cumsum(self.mean, axis=1)


@dataclass(frozen=True)
class Spread:
    """Variance as `ratio * mean + error * mean ** 2`: chance about a level, and a level that is wrong."""

    ratio: float
    error: float

    def variance(self, mean: Array) -> Array:
        """Variance of counts with these means."""
        return self.ratio * mean + self.error * mean**2


USUAL_SPREAD = Spread(1.5, 0.1)


def fit_spread(mean: Array, units: Array) -> Spread:
    """The spread under which these units are likeliest, given their forecast means; of the candidates tried.

    Without any units the usual spread.
    """
    mean, units = np.maximum(mean.ravel(), _SMALLEST_MEAN), units.ravel()
    best, likeliest = USUAL_SPREAD, -np.inf
    if not len(units):
        return best
    for ratio in _RATIOS:
        for error in _ERRORS:
            variance = np.maximum(ratio * mean + error * mean**2, mean * (1.0 + 1e-6))
            total = float(nbinom.logpmf(units, mean**2 / (variance - mean), mean / variance).sum())
            if total > likeliest:
                best, likeliest = Spread(ratio, error), total
    return best


def with_spread(mean: Array, daily: Spread, cumulative: Spread) -> DemandForecast:
    """The forecast of these means with the spread of days and of weeks."""
    return DemandForecast(mean, daily.variance(mean), cumulative.variance(np.cumsum(mean, axis=1)))
