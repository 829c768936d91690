"""Units as a negative binomial, given by its mean and variance.

Demand is counted in units and varies more than a Poisson count, because customers come in waves and buy several at
once. The negative binomial is the standard model for that; where the variance is no larger than the mean it becomes
Poisson. Arrays broadcast; a mean of 0 is a product without demand.
"""

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

# A variance this little above the mean is Poisson for all purposes, and keeps the parameters finite.
_LEAST_EXCESS = 1e-6
# A mean below this is none: its square would vanish.
_LEAST_MEAN = 1e-12


def exceed_probability(mean: ArrayLike, variance: ArrayLike, supply: ArrayLike) -> Array:
    """P(units > supply): the probability that demand exceeds the shelf."""
    mean, size, success, supply = _parameters(mean, variance, supply)
    return np.where(mean > 0, scipy.stats.nbinom.sf(np.floor(supply), size, success), np.where(supply < 0, 1.0, 0.0))


def expected_excess(mean: ArrayLike, variance: ArrayLike, supply: ArrayLike) -> Array:
    """E[max(units - supply, 0)]: the units of demand that the shelf does not hold.

    Uses x f(x; r) = mean f(x - 1; r + 1) for the negative binomial f, so that no sum over counts is needed.
    """
    mean, size, success, supply = _parameters(mean, variance, supply)
    supply = np.maximum(supply, 0.0)
    least = np.floor(supply)
    excess = mean * scipy.stats.nbinom.sf(least - 1.0, size + 1.0, success) - supply * scipy.stats.nbinom.sf(
        least, size, success
    )
    return np.where(mean > 0, np.maximum(excess, 0.0), 0.0)


def quantile(mean: ArrayLike, variance: ArrayLike, share: float) -> Array:
    """The smallest count that units stay at or below with probability `share`."""
    mean, size, success, _ = _parameters(mean, variance, 0.0)
    return np.where(mean > 0, scipy.stats.nbinom.ppf(share, size, success), 0.0)


def share_within(mean: ArrayLike, variance: ArrayLike, units: ArrayLike, low: float, high: float) -> float:
    """Share of these units that lie between the `low` and the `high` quantile.

    Where most counts are 0 to 2, a band cannot hold less than its end points: the chance of a count is spread evenly
    over it, so that an end point counts by the part of its probability that lies within.
    """
    units = np.asarray(units, dtype=np.float64)
    upper = 1.0 - exceed_probability(mean, variance, units)
    lower = np.where(units > 0, 1.0 - exceed_probability(mean, variance, units - 1.0), 0.0)
    inside = np.minimum(upper, high) - np.maximum(lower, low)
    return float(np.clip(inside / np.maximum(upper - lower, 1e-12), 0.0, 1.0).mean())


def _parameters(mean: ArrayLike, variance: ArrayLike, supply: ArrayLike) -> tuple[Array, Array, Array, Array]:
    """Mean, size r and success probability of the negative binomial, broadcast with the supply."""
    mean, variance, supply = np.broadcast_arrays(
        *(np.asarray(value, dtype=np.float64) for value in (mean, variance, supply))
    )
    mean = np.where(mean > _LEAST_MEAN, mean, 0.0)
    safe = np.where(mean > 0, mean, 1.0)
    variance = np.where(mean > 0, np.maximum(variance, safe * (1.0 + _LEAST_EXCESS)), 2.0)
    return mean, safe**2 / (variance - safe), safe / variance, supply
