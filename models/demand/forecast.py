"""A forecast of daily units with its uncertainty, as every route to expected demand gives it."""

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from models.demand.counts import share_within

Array = NDArray[np.float64]

_RATIOS = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0, 8.0)
_ERRORS = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0, 1.5, 2.0)
_SMALLEST_MEAN = 0.01
_MIN_UNITS_FOR_A_BAND = 100
_BAND_TOLERANCE = 0.01


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
_CANDIDATES = [Spread(ratio, error) for ratio in _RATIOS for error in _ERRORS]


def fit_spread(mean: Array, units: Array) -> Spread:
    """The spread under which these units are likeliest, given their forecast means; of the candidates tried.

    Without any units the usual spread.
    """
    mean, units = np.maximum(mean.ravel(), _SMALLEST_MEAN), units.ravel()
    return max(_CANDIDATES, key=lambda spread: _likelihood(spread, mean, units)) if len(units) else USUAL_SPREAD


def fit_band(mean: Array, units: Array) -> Spread:
    """The likeliest spread of those whose band from the 10 to the 90 % quantile held four fifths of these units.

    A few far-off products make the likeliest spread too wide for all the others. Of few units, where a share means
    little, the likeliest spread.
    """
    if units.size < _MIN_UNITS_FOR_A_BAND:
        return fit_spread(mean, units)
    mean, units = np.maximum(mean.ravel(), _SMALLEST_MEAN), units.ravel()

    def fitness(spread: Spread) -> tuple[float, float]:
        missed = abs(share_within(mean, spread.variance(mean), units, 0.1, 0.9) - 0.8)
        return -max(missed - _BAND_TOLERANCE, 0.0), _likelihood(spread, mean, units)

    return max(_CANDIDATES, key=fitness)


def _likelihood(spread: Spread, mean: Array, units: Array) -> float:
    variance = np.maximum(spread.variance(mean), mean * (1.0 + 1e-6))
    return float(scipy.stats.nbinom.logpmf(units, mean**2 / (variance - mean), mean / variance).sum())


def with_spread(mean: Array, daily: Spread, cumulative: Spread) -> DemandForecast:
    """The forecast of these means with the spread of days and of weeks."""
    return DemandForecast(mean, daily.variance(mean), cumulative.variance(np.cumsum(mean, axis=1)))
