"""What customers are expected to buy: expected baskets on each day times expected units in a basket, summed exactly.

Days come from the survival curve that a hazard head predicts for each customer, units from the probability of every
product of the vocabulary to be in the next basket. Both are rounded to whole steps before they are multiplied: sums of
whole numbers depend on no order, neither of customers nor of the batches in which they are summed.

Source: LENS, Algorithm 2, which sums predicted quantities on predicted days. Differs from it: no basket is cut at a
length, and no basket lies on one day alone.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# A basket more on the same day is as probable as the model says, up to this.
_MOST_SAME_DAY = 0.5
# Steps of a basket and of a unit: a product is a whole number of 1 / SUM_STEPS, summed exactly below 2**53.
_BASKET_STEPS, _UNIT_STEPS = 2.0**15, 2.0**24
SUM_STEPS = _BASKET_STEPS * _UNIT_STEPS


def expected_baskets(log_wait: Array, log_gap: Array) -> Array:
    """Expected number of baskets of each customer on each day of the horizon.

    The first basket is conditioned on none having come yet. Later ones follow it at gaps of the curve that the model
    predicts for the present gap (a renewal process), since it knows nothing yet of the basket between.

    Args:
        log_wait: [C, 1 + H]; log probability that no basket comes through the day before the horizon, and through each
            of its days.
        log_gap: [C, 1 + H]; the same of a gap that has just begun: before its day 0, and through days 0 to H - 1.
    Returns: float64 [C, H].
    """
    log_wait, log_gap = np.asarray(log_wait, np.float64), np.asarray(log_gap, np.float64)
    waits, lasts = np.exp(log_wait - log_wait[:, :1]), np.exp(log_gap)
    first, later = -np.diff(waits, axis=1), -np.diff(lasts, axis=1)
    same_day = np.minimum(later[:, 0], _MOST_SAME_DAY)
    baskets = np.zeros_like(first)
    for day in range(first.shape[1]):
        after = (baskets[:, :day] * later[:, day:0:-1]).sum(axis=1)
        baskets[:, day] = (first[:, day] + after) / (1.0 - same_day)
    return np.maximum(baskets, 0.0)


def summed_steps(baskets: Array, units: NDArray[np.floating]) -> NDArray[np.int64]:
    """Expected units of all these customers by product and day, in steps of 1 / SUM_STEPS; int64 [V, H].

    Args: baskets: [C, H], expected on each day; units: [C, V], expected of each product in a basket.
    """
    whole = np.rint(np.asarray(units, np.float64) * _UNIT_STEPS).T @ np.rint(baskets * _BASKET_STEPS)
    steps: NDArray[np.int64] = np.rint(whole).astype(np.int64)
    return steps
