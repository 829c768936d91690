"""Customers reported as staying away on a past morning: did they come within their usual time after it?

Nobody can know what a customer wanted; but whoever is rightly overdue does not come soon. So each customer who was
scored that morning is watched for the customer's own usual gap, in days on which the store traded.
"""

from dataclasses import dataclass

import numpy as np

from models.behaviour.detection import KINDS, BehaviourScores
from models.behaviour.funnel_baskets import Array, Flags, FunnelBaskets, Integers

# Kinds of change that say that a customer stays away.
STAYING_AWAY = ("later", "silence")


@dataclass(frozen=True)
class Watched:
    """What became of the funnels of one past morning, [F] each.

    reported: the strangest kind says that the customer stays away.
    judged:   the usual gap has passed since that morning.
    stayed:   and no basket came within it.
    """

    reported: Flags
    judged: Flags
    stayed: Flags


def watch(histories: FunnelBaskets, scores: BehaviourScores, open_days_to_next: Array, open_days: Integers) -> Watched:
    """Judge the scores of a morning by what came after it.

    Args:
        histories: baskets before the morning.
        open_days_to_next: [F]; trading days from the morning to the next basket; infinite where none came yet.
        open_days: [F]; trading days since the morning.
    """
    usual = np.maximum(np.ceil(usual_gap(histories)), 1.0)
    judged: Flags = np.isfinite(usual) & (open_days >= usual) & scores.is_scored
    reported = np.isin(scores.kind, [KINDS.index(kind) for kind in STAYING_AWAY])
    return Watched(reported, judged, judged & (open_days_to_next >= usual))


def usual_gap(histories: FunnelBaskets) -> Array:
    """Median trading days between the baskets of each funnel, the lower one of two, [F]; NaN for a single basket."""
    known = np.isfinite(histories.gap_days)
    funnel, gap = histories.funnel[known], histories.gap_days[known]
    ordered = gap[np.lexsort((gap, funnel))]
    count = np.bincount(funnel, minlength=histories.n_funnels)
    found = np.full(histories.n_funnels, np.nan)
    has = count > 0
    first = np.cumsum(count) - count
    found[has] = ordered[first[has] + (count[has] - 1) // 2]
    return found
