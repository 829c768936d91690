"""The weight that another forecast earned beside the store's, by group of products, on past weeks.

Of weights in tenths the one with the least absolute error of the weeks; none where chance may have made the gain: where
the interval of a paired bootstrap over products and weeks holds 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.demand.paired_bootstrap import WeekErrors, differences

Array = NDArray[np.float64]

CHOICES = np.linspace(0.0, 1.0, 11)
LEAST_PRODUCTS = 30
"""In each week: a resample of fewer may hold no unit, and its interval says nothing."""
_MEASURE = "week WAPE"


@dataclass(frozen=True)
class Earned:
    """The weight with the least error, and the one that was earned: 0 where the gain's interval holds 0."""

    best: float
    weight: float


def earned_weights(
    store: Sequence[Array], other: Sequence[Array], units: Sequence[Array], groups: Sequence[NDArray[np.int64]]
) -> dict[int, Earned]:
    """Weights by group, from absolute errors of the weeks.

    Args: one element per week; store, other, units: [N, H]; groups: [N].
    """
    found = {}
    # The sum of a week is linear in the weight: products need not be blended day by day.
    weeks = [tuple(each.sum(axis=1) for each in of) for of in zip(store, other, units, strict=True)]
    for group in np.unique(np.concatenate(list(groups))):
        chosen = [each == group for each in groups]
        losses = [
            sum(
                np.abs((1.0 - weight) * of_store + weight * of_other - sold)[which].sum()
                for (of_store, of_other, sold), which in zip(weeks, chosen, strict=True)
            )
            for weight in CHOICES
        ]
        best = float(CHOICES[int(np.argmin(losses))])
        is_sure = best > 0 and _is_better(store, other, units, chosen, best)
        found[int(group)] = Earned(best, best if is_sure else 0.0)
    return found


def blended(store: Array, other: Array, weight: Array | float) -> Array:
    """The mean of which `weight` is the other's; weight [N] or one number."""
    share = np.asarray(weight, np.float64)
    share = share[:, None] if share.ndim else share
    mean: Array = (1.0 - share) * store + share * other
    return mean


def absolute_errors(means: Sequence[Array], units: Sequence[Array]) -> list[WeekErrors]:
    """Absolute error of each product's week, week by week."""
    return [
        WeekErrors(sold.sum(axis=1), {_MEASURE: np.abs(mean.sum(axis=1) - sold.sum(axis=1))})
        for mean, sold in zip(means, units, strict=True)
    ]


def _is_better(
    store: Sequence[Array],
    other: Sequence[Array],
    units: Sequence[Array],
    chosen: Sequence[NDArray[np.bool_]],
    weight: float,
) -> bool:
    if min(int(which.sum()) for which in chosen) < LEAST_PRODUCTS:
        return False
    mixed = [blended(one, two, weight) for one, two in zip(store, other, strict=True)]
    (found,) = differences(absolute_errors(mixed, units), absolute_errors(store, units), chosen)
    return bool(found["high"] < 0)
