"""The probability that a shelf is short on some day up to each, from that of each day by itself.

A shelf that a delivery fills again was short all the same: the largest probability of a single day is too low, by as
much as the days differ from one another. So cumulative demand is taken as a path. Its days vary by themselves as
`variance` says, and together as far as the units of several days vary more than that: a level that is wrong is wrong
every day. The days' own probabilities stay as they are; only what they have in common is taken from the path, through
the correlations of a normal distribution (a Gaussian copula).

Source: Genz, "Numerical computation of multivariate normal probabilities", 1992: one variable after the other, over
fixed Sobol points, so that the result is the same every time and rises from day to day.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

Array = NDArray[np.float64]

_POINTS = 64
# Of shelves that are all but surely short, or not, the largest of the days' probabilities says enough.
_CERTAIN = 1e-6
# Keeps correlations of days without demand of their own invertible.
_JITTER = 1e-6
_LEAST = 1e-12


def short_by(chance: Array, mean: Array, variance: Array, cumulative_variance: Array) -> Array:
    """Probability of being short on or before each day, [N, H].

    Shapes: N products, H days.
    chance: [N, H]; probability that the supply up to the day does not reach for the demand up to it.
    mean, variance, cumulative_variance: [N, H]; demand of each day, and of the days up to it.
    """
    found: Array = np.maximum.accumulate(chance, axis=1)
    in_doubt = np.flatnonzero((found[:, -1] > _CERTAIN) & (found[:, -1] < 1.0 - _CERTAIN))
    if len(in_doubt):
        roots = _roots(mean[in_doubt], variance[in_doubt], cumulative_variance[in_doubt, -1])
        found[in_doubt] = np.maximum(_any_of(chance[in_doubt], roots), found[in_doubt])
    return found


def _roots(mean: Array, variance: Array, of_all_days: Array) -> Array:
    """Cholesky factors of the correlations of cumulative demand, [N, H, H]."""
    total, own, squares = (np.cumsum(each, axis=1) for each in (mean, variance, mean**2))
    products_of_days = total[:, -1] ** 2 - squares[:, -1]
    together = np.divide(
        of_all_days - own[:, -1], products_of_days, out=np.zeros(len(mean)), where=products_of_days > _LEAST
    )
    together = np.clip(together, 0.0, _most_together(mean, variance))
    days = np.arange(mean.shape[1])
    earlier = np.minimum(days[:, None], days[None, :])
    shared = total[:, :, None] * total[:, None, :] - squares[:, earlier]
    covariance = own[:, earlier] + together[:, None, None] * shared
    deviation = np.sqrt(np.maximum(np.einsum("nii->ni", covariance), _LEAST))
    correlation = covariance / (deviation[:, :, None] * deviation[:, None, :])
    unit = np.eye(mean.shape[1])
    # A day before any demand says nothing of the others.
    correlation = np.where(unit > 0, 1.0, correlation * (1.0 - _JITTER))
    roots: Array = np.linalg.cholesky(correlation)
    return roots


def _most_together(mean: Array, variance: Array) -> Array:
    """How much days can have in common, [N]: with more, some day would have more in common with others than it varies.

    No path has such correlations. A method that is wrong of whole weeks by more than its days vary asks for them.
    """
    squares = mean**2
    with np.errstate(over="ignore"):
        of_days = np.divide(variance, squares, out=np.full_like(mean, np.inf), where=squares > 0.0)
    most: Array = of_days.min(axis=1)
    return most


def _any_of(chance: Array, roots: Array) -> Array:
    """Probability that the path is above its bound on the day or an earlier one, [N, H]."""
    bounds = -ndtri(np.clip(chance, _LEAST, 1.0 - _LEAST))
    points = _points(chance.shape[1])
    served, drawn = np.ones((len(chance), _POINTS)), np.zeros((len(chance), chance.shape[1], _POINTS))
    found = np.zeros_like(chance)
    for day in range(chance.shape[1]):
        before = np.einsum("nd,ndp->np", roots[:, day, :day], drawn[:, :day])
        below = ndtr((bounds[:, day, None] - before) / roots[:, day, day, None])
        served = served * below
        found[:, day] = 1.0 - served.mean(axis=1)
        drawn[:, day] = ndtri(np.clip(points[None, :, day] * below, _LEAST, 1.0 - _LEAST))
    return found


@lru_cache
def _points(days: int) -> Array:
    from scipy.stats import qmc  # half a second, which a job without a shelf in doubt need not wait

    points: Array = qmc.Sobol(days, scramble=True, seed=0).random(_POINTS)
    return points
