"""d_B of LENS Algorithm 1: how far out a funnel's statistic lies among those usual in its cluster.

Only the far side counts: whoever shops more like ever than usual is no anomaly. The result is an upper-tail
probability, so that scores of content, size and timing can be joined. `CLUSTER_DISTANCES` names the parts.
"""

from collections.abc import Callable

import numpy as np
import scipy

from models.behaviour.funnel_baskets import Array

ClusterDistance = Callable[[Array, Array], Array]

# The share of the usual values from which the tail is continued as an exponential, and how many that needs.
_TAIL_SHARE = 0.02
_MIN_TAIL = 10
_NO_TAIL = 1e-9
# Mean excess of a normal distribution over its outermost 2 %, in distances of that threshold from its median.
_NORMAL_EXCESS = 0.18


def upper_tail(values: Array, usual: Array) -> Array:
    """Share of the usual values at or above each value; beyond the outermost 2 % an exponential with their mean excess.

    The mean excess is at least a normal distribution's. Days between baskets are whole numbers, so that the outermost
    values of regular customers nearly coincide; their excess says how alike those are, not how rare a larger one is.

    The exponential ranks the strangest funnels among themselves, all of which lie beyond every usual value.
    """
    usual = np.sort(usual)
    above = len(usual) - np.searchsorted(usual, values, side="left")
    share = np.asarray((1.0 + above) / (1.0 + len(usual)), dtype=np.float64)
    tail = int(len(usual) * _TAIL_SHARE)
    if tail < _MIN_TAIL:
        return share
    threshold = usual[-tail]
    excess = float((usual[-tail:] - threshold).mean())
    if excess <= _NO_TAIL:  # All alike: how rare a larger one is cannot be estimated.
        return share
    excess = max(excess, _NORMAL_EXCESS * float(threshold - usual[len(usual) // 2]))
    beyond = _TAIL_SHARE * np.exp(-np.maximum(values - threshold, 0.0) / excess)
    return np.where(values > threshold, beyond, share)


def robust_z(values: Array, usual: Array) -> Array:
    """Normal upper tail of the distance from the median in median absolute deviations."""
    centre = np.median(usual) if len(usual) else 0.0
    spread = 1.4826 * np.median(np.abs(usual - centre)) if len(usual) else 1.0
    tail: Array = scipy.stats.norm.sf((values - centre) / max(float(spread), 1e-9))
    return tail


# Levels within which values are compared, and the least number of usual values in each.
_LEVELS = 10
_MIN_PER_LEVEL = 500


def tail_by_level(tail: ClusterDistance, values: Array, levels: Array, usual: Array, usual_levels: Array) -> Array:
    """Tail probability of each value among the usual ones of similar level, [V].

    The levels are cut into overlapping stretches of equally many usual values; between the middles of two, the
    logarithms of their probabilities are averaged by nearness.
    """
    stretches = int(np.clip(len(usual) // _MIN_PER_LEVEL, 1, _LEVELS))
    if stretches == 1 or usual_levels.min() == usual_levels.max():
        return tail(values, usual)
    order = np.argsort(usual_levels, kind="stable")
    position = np.searchsorted(usual_levels[order], levels) / len(usual) * stretches
    position = np.clip(position, 0.5, stretches - 0.5)
    logs = np.zeros(len(values))
    for stretch in range(stretches):
        nearness = np.maximum(1.0 - np.abs(position - (stretch + 0.5)), 0.0)
        near = nearness > 0
        bounds = np.clip(np.array([stretch - 0.5, stretch + 1.5]) / stretches * len(usual), 0, len(usual)).astype(int)
        among = usual[order[bounds[0] : bounds[1]]]
        logs[near] += nearness[near] * np.log(np.maximum(tail(values[near], among), 1e-300))
    return np.exp(logs)


CLUSTER_DISTANCES: dict[str, ClusterDistance] = {"upper_tail": upper_tail, "robust_z": robust_z}
