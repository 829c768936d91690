"""Which way a funnel's behaviour changed: whether less money comes in than usual, or at least as much.

Most kinds of change are measured in one direction and say it by themselves. Other products are neither a loss nor a
gain, so there the money of the recent baskets decides.
"""

import numpy as np

from models.behaviour.detection import KINDS, BehaviourScores
from models.behaviour.funnel_baskets import Array, Flags, FunnelBaskets
from models.directions import GAIN, LOSS

OF_KIND = {"size": GAIN, "quantity": GAIN, "sooner": GAIN, "later": LOSS, "silence": LOSS}
"""The kinds of `KINDS` that have a direction of their own: `size` and `quantity` measure larger baskets only."""


def directions(histories: FunnelBaskets, scores: BehaviourScores) -> list[str]:
    """The direction of each funnel's strangest kind of change, one of `DIRECTIONS`, F of them."""
    by_money = _spends_less(histories)
    kinds = (KINDS[kind] for kind in scores.kind)
    return [
        OF_KIND.get(kind, LOSS if is_less else GAIN) for kind, is_less in zip(kinds, by_money.tolist(), strict=True)
    ]


def _spends_less(histories: FunnelBaskets) -> Flags:
    """Whether the mean recent basket costs less than the mean one of the history, [F]; False without one of either."""

    def mean(which: Flags) -> Array:
        funnels, of = histories.n_funnels, histories.funnel[which]
        spent = np.bincount(of, weights=histories.spend[which], minlength=funnels)
        number = np.bincount(of, minlength=funnels)
        values: Array = np.divide(spent, number, out=np.full(funnels, np.nan), where=number > 0)
        return values

    is_less: Flags = mean(histories.recent) < mean(~histories.recent)
    return is_less
