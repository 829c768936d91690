"""d_B of LENS Algorithm 1: how far out a funnel's statistic lies among those usual in its cluster.

Only the far side counts: whoever shops more like ever than usual is no anomaly. The result is an upper-tail
probability, so that scores of content, size and timing can be joined. `CLUSTER_DISTANCES` names the parts.
"""

from collections.abc import Callable

import numpy as np
from scipy.stats import norm

from models.detectors.histories import Array

ClusterDistance = Callable[[Array, Array], Array]

# The share of the usual values from which the tail is continued as an exponential, and how many that needs.
_TAIL_SHARE = 0.02
_MIN_TAIL = 10


def upper_tail(values: Array, usual: Array) -> Array:
    """Share of the usual values at or above each value; beyond the outermost 2 % an exponential with their mean excess.

    The exponential tells the strangest funnels apart, all of which lie beyond everything usual.
    """
    usual = np.sort(usual)
    above = len(usual) - np.searchsorted(usual, values, side="left")
    share = np.asarray((1.0 + above) / (1.0 + len(usual)), dtype=np.float64)
    tail = int(len(usual) * _TAIL_SHARE)
    if tail < _MIN_TAIL:
        return share
    threshold = usual[-tail]
    excess = max(float((usual[-tail:] - threshold).mean()), 1e-9)
    beyond = _TAIL_SHARE * np.exp(-np.maximum(values - threshold, 0.0) / excess)
    return np.where(values > threshold, beyond, share)


def robust_z(values: Array, usual: Array) -> Array:
    """Normal upper tail of the distance from the median in median absolute deviations."""
    centre = np.median(usual) if len(usual) else 0.0
    spread = 1.4826 * np.median(np.abs(usual - centre)) if len(usual) else 1.0
    return norm.sf((values - centre) / max(float(spread), 1e-9))


CLUSTER_DISTANCES: dict[str, ClusterDistance] = {"upper_tail": upper_tail, "robust_z": robust_z}
