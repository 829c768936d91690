"""Is the latest run of a funnel's baskets unlike all runs before it?

A funnel's baskets give a series of one number each (a distance, a logarithm of units or of days). A change shows in the
last basket, or more surely in the mean of the last few. So the mean of every run of 1 to `MAX_RUN` baskets is compared
with the funnel's own history, in units of its own scatter, and the runs that end today are judged by the runs that did
not: the same statistic, taken from the histories of all funnels alike.

A change is news once. A run must therefore also differ from the few baskets just before it; a level that rose weeks
ago no longer does.
"""

from dataclasses import dataclass

import numpy as np

from models.detectors.histories import Array, Flags, Integers

MAX_RUN = 5
# Baskets just before a run that it must differ from as well.
_JUST_BEFORE = 4
# Baskets of weight given to the scatter, and to the mean, of all funnels.
_PRIOR_SCATTER = 5.0
_PRIOR_MEAN = 1.0
# History baskets outside a run without which it is not compared.
_MIN_REFERENCE = 3


@dataclass(frozen=True)
class Runs:
    """Runs of one length.

    Shapes: R runs of histories, F funnels.
    usual:        float64 [R]; statistics of runs that lie within a history.
    usual_funnel: int [R]; their funnels.
    latest:       float64 [F]; statistic of the run that ends with the last basket; -inf where there is none.
    """

    usual: Array
    usual_funnel: Integers
    latest: Array


def compare_runs(
    values: Array, funnel: Integers, recent: Flags, n_funnels: int, weights: Array | None = None
) -> list[Runs]:
    """Statistics of all runs of 1 to `MAX_RUN` values; large where the run lies above its funnel's history.

    Args:
        values, funnel, recent: [V], funnel by funnel and oldest first; the recent ones are to be judged.
        weights: [V]; how much each value knows (a mean over many lines scatters less); 1 by default.
    """
    weights = np.ones(len(values)) if weights is None else weights
    history = _reference(values, weights, funnel, recent, n_funnels)
    ends_funnel = np.append(funnel[1:] != funnel[:-1], True) if len(funnel) else np.zeros(0, dtype=bool)
    before = _just_before(values, weights, funnel)
    sums = np.concatenate([[0.0], np.cumsum(weights * values)])
    sizes = np.concatenate([[0.0], np.cumsum(weights)])
    runs = []
    for length in range(1, MAX_RUN + 1):
        first = np.arange(max(len(values) - length + 1, 0))
        first = first[funnel[first] == funnel[first + length - 1]]
        end, of = first + length - 1, funnel[first]
        inside = ~recent[end]
        total, size = sums[end + 1] - sums[first], sizes[end + 1] - sizes[first]
        statistic = np.minimum(
            history.away(total, size, of, inside),
            (total / size - before.mean[first]) / (history.scatter[of] * np.sqrt(1 / size + 1 / before.size[first])),
        )
        enough = (history.count[of] - length * inside >= _MIN_REFERENCE) & (before.count[first] >= _MIN_REFERENCE)
        latest = np.full(n_funnels, -np.inf)
        judged = enough & recent[first] & ends_funnel[end]
        latest[of[judged]] = statistic[judged]
        runs.append(Runs(statistic[enough & inside], of[enough & inside], latest))
    return runs


@dataclass(frozen=True)
class _Reference:
    """What each funnel's history holds: [F] count, weighted sum and weight of values, and their scatter."""

    count: Integers
    total: Array
    size: Array
    scatter: Array

    def away(self, total: Array, size: Array, of: Integers, inside: Flags) -> Array:
        """Distance of runs from their funnel's history without them, in standard errors."""
        mean_size = self.size.sum() / max(self.count.sum(), 1.0)
        overall = self.total.sum() / max(self.size.sum(), 1e-12)
        prior = _PRIOR_MEAN * mean_size
        reference = np.maximum(self.size[of] - size * inside, 0.0) + prior
        centre = (self.total[of] - total * inside + prior * overall) / reference
        return (total / size - centre) / (self.scatter[of] * np.sqrt(1 / size + 1 / reference))


def _reference(values: Array, weights: Array, funnel: Integers, recent: Flags, n_funnels: int) -> _Reference:
    known = weights * ~recent
    count = np.bincount(funnel[~recent], minlength=n_funnels)
    size = _sums(funnel, known, n_funnels)
    total = _sums(funnel, known * values, n_funnels)
    mean = total / np.maximum(size, 1e-12)
    squares = _sums(funnel, known * (values - mean[funnel]) ** 2, n_funnels)
    freedom = np.maximum(count - 1, 0)
    pooled = squares.sum() / max(freedom.sum(), 1.0)
    variance = (squares + _PRIOR_SCATTER * pooled) / (freedom + _PRIOR_SCATTER)
    return _Reference(count, total, size, np.sqrt(np.maximum(variance, 1e-12)))


@dataclass(frozen=True)
class _Before:
    """What lies just before each position: [V] mean, weight and number of the values."""

    mean: Array
    size: Array
    count: Array


def _just_before(values: Array, weights: Array, funnel: Integers) -> _Before:
    total, size, count = np.zeros((3, len(values)))
    for back in range(1, _JUST_BEFORE + 1):
        same = funnel[back:] == funnel[:-back]
        total[back:] += same * (weights * values)[:-back]
        size[back:] += same * weights[:-back]
        count[back:] += same
    safe = np.where(size > 0, size, 1.0)
    return _Before(total / safe, safe, count)


def _sums(funnel: Integers, values: Array, n_funnels: int) -> Array:
    return np.bincount(funnel, weights=values, minlength=n_funnels).astype(np.float64)
