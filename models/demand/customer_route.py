"""Expected demand from predicted baskets (LENS, Algorithm 2: predicted quantities on predicted days).

The paper puts a whole predicted basket on its one predicted day. Days between baskets scatter widely about any
prediction, so by default a basket is spread over the days on which it may happen, given that it has not happened yet;
the paper's decoding stays available. Predicted baskets are cut at a length and know nothing of new customers, so they
say who buys what rather than how much is sold: their level comes from the store.
"""

import numpy as np
import scipy
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Standard deviation of the logarithm of the days between baskets where no history shows it.
DEFAULT_GAP_SPREAD = 0.7
_BOUNDS_OF_SPREAD = (0.2, 1.5)


def visit_expectation(gap_days: Array, elapsed_days: Array, gap_spread: float, horizon_days: int) -> Array:
    """Expected number of baskets of each customer on each day of the horizon.

    Days between baskets are log-normal about the predicted gap. The first basket is conditioned on none having
    happened in the elapsed days, later ones follow at the same gaps (a renewal process).

    Args:
        gap_days: [C]; predicted days between the latest basket and the next.
        elapsed_days: [C]; days from the latest basket to the first day of the horizon, at least 1.
        gap_spread: standard deviation of the logarithm of a gap.
        horizon_days: H.
    Returns: float64 [C, H].
    """
    median = np.maximum(gap_days, 0.5)[:, None]
    spread = np.clip(gap_spread, *_BOUNDS_OF_SPREAD)
    edges = elapsed_days[:, None] + np.arange(horizon_days + 1)[None, :] - 0.5
    # In logarithms, so that a customer who is long gone keeps a small hazard and does not divide 0 by 0.
    survival = scipy.stats.norm.logsf((np.log(np.maximum(edges, 0.5)) - np.log(median)) / spread)
    still = np.exp(survival - survival[:, :1])
    first = still[:, :-1] - still[:, 1:]
    later_edges = np.arange(1, horizon_days + 1)[None, :] - 0.5
    later = np.diff(scipy.stats.norm.cdf((np.log(later_edges) - np.log(median)) / spread), axis=1)
    visits = first.copy()
    for day in range(1, horizon_days):
        visits[:, day] += (visits[:, :day] * later[:, :day][:, ::-1]).sum(axis=1)
    values: Array = visits
    return values


def visit_on_predicted_day(days_until: NDArray[np.int64], horizon_days: int) -> Array:
    """The paper's decoding: one basket, on the predicted day. `days_until` [C], 0 the first day; returns [C, H]."""
    values: Array = (days_until[:, None] == np.arange(horizon_days)[None, :]).astype(np.float64)
    return values


def gap_spread(squares: float, degrees_of_freedom: float) -> float:
    """Standard deviation of log gaps within customers, pooled; the default where too few gaps are known."""
    if degrees_of_freedom < 30:
        return DEFAULT_GAP_SPREAD
    return float(np.clip(np.sqrt(squares / degrees_of_freedom), *_BOUNDS_OF_SPREAD))


def blend(store_mean: Array, customer_units: Array, customer_weight: float) -> tuple[Array, Array]:
    """Join the two routes of one store.

    The customers' route is brought to the level of the store's route over the products that it knows, then takes
    `customer_weight` of their mean. Products in no predicted basket keep the store's route alone.

    Args: store_mean, customer_units: [N, H].
    Returns: the mean, and the part of it that comes from predicted baskets, [N, H] each.
    """
    known = customer_units.sum(axis=1) > 0
    predicted = customer_units[known].sum()
    if not predicted:
        return store_mean.copy(), np.zeros_like(store_mean)
    part = customer_weight * customer_units * (store_mean[known].sum() / predicted)
    mean = np.where(known[:, None], (1.0 - customer_weight) * store_mean + part, store_mean)
    return mean, part
