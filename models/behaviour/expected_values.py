"""What the next value of a funnel should be, given its other values: mean, scatter and what is left unexplained.

A funnel with few values is drawn towards all funnels; how far is estimated from the values themselves (least squares
over all histories), so that nothing is set by hand. A value of the history is left out of its own expectation, so that
what is left of it is comparable with what is left of a value that is scored.
"""

from dataclasses import dataclass

import numpy as np

from models.behaviour.funnel_baskets import Array, Flags, Integers

# Values of weight given to the scatter of all funnels.
_PRIOR_SCATTER = 10.0
# A scatter is at least this share of the mean one.
_LEAST_SCATTER = 0.2


@dataclass(frozen=True)
class Residuals:
    """Shapes: V values.

    mean:     float64 [V]; what was to be expected.
    residual: float64 [V]; value less mean, in units of the scatter to be expected.
    usable:   bool [V]; history values whose expectation rests on at least two others.
    """

    mean: Array
    residual: Array
    usable: Flags


def residuals(values: Array, funnel: Integers, recent: Flags, n_funnels: int, *, by_count: bool = False) -> Residuals:
    """What is left of each value.

    Args:
        values, funnel, recent: [V], funnel by funnel; recent values are scored, the others are history.
        by_count: whether the number of a funnel's values is informative, as it is for days between baskets: in any
            stretch of time, many baskets means short gaps.
    """
    others = _Others.of(values, funnel, ~recent, n_funnels)
    usable = ~recent & (others.count >= 2)
    if usable.sum() < 10:  # Too little to learn from: everything is as expected.
        return Residuals(values.astype(np.float64), np.zeros(len(values)), usable)
    own = others.count / (others.count + _prior_weight(values, funnel, ~recent, n_funnels))
    columns = [own * others.mean, 1.0 - own]
    if by_count:
        columns.append((1.0 - own) * np.log(np.maximum(others.count, 1)))
    mean = _fitted(np.stack(columns, axis=1), values, usable)
    left = values - mean
    pooled = others.squares[usable].sum() / max(np.maximum(others.count[usable] - 1, 0).sum(), 1)
    spread = np.sqrt((others.squares + _PRIOR_SCATTER * pooled) / (np.maximum(others.count - 1, 0) + _PRIOR_SCATTER))
    sizes = np.stack([spread, np.ones(len(values)), mean, 1.0 - own], axis=1)
    least = max(_LEAST_SCATTER * float(np.abs(left[usable]).mean()), 1e-9)
    return Residuals(mean, left / np.maximum(_fitted(sizes, np.abs(left), usable), least), usable)


@dataclass(frozen=True)
class _Others:
    """Of the funnel's history values but the one itself: [V] number, mean and squares around it."""

    count: Array
    mean: Array
    squares: Array

    @classmethod
    def of(cls, values: Array, funnel: Integers, known: Flags, n_funnels: int) -> "_Others":
        # Around the overall mean, so that squares of large values do not swallow their differences.
        centre = float(values[known].mean()) if known.any() else 0.0
        counted = np.where(known, values - centre, 0.0)
        count, total, squares = (
            np.bincount(funnel, weights=each, minlength=n_funnels)[funnel] - each
            for each in (known.astype(np.float64), counted, counted**2)
        )
        mean = np.asarray(total / np.maximum(count, 1), dtype=np.float64)
        return cls(count.astype(np.float64), centre + mean, np.maximum(squares - count * mean**2, 0.0))


def _prior_weight(values: Array, funnel: Integers, known: Flags, n_funnels: int) -> float:
    """Values that the overall mean is worth: the variance within funnels over that between them."""
    count = np.bincount(funnel[known], minlength=n_funnels)
    mean = np.bincount(funnel[known], values[known], n_funnels) / np.maximum(count, 1)
    squares = float(((values[known] - mean[funnel[known]]) ** 2).sum())
    within = squares / max(int(np.maximum(count - 1, 0).sum()), 1)
    between = max(float(values[known].var()) - within, 1e-9)
    return float(np.clip(within / between, 1e-3, 1e3))


def _fitted(columns: Array, values: Array, usable: Flags) -> Array:
    """Least squares on the usable rows, for all rows."""
    weights = np.linalg.lstsq(columns[usable], values[usable], rcond=None)[0]
    return np.asarray(columns @ weights, dtype=np.float64)
