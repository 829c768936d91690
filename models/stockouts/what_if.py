"""What one more delivery would change: which alerts and which short days go away.

The same arithmetic as the alerts' own (`shortages.find_shortages`), asked twice: with the supply as planned, and with
the delivery added. A delivery helps from its day on; what is lost before it comes stays lost.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.demand.counts import Array
from models.stockouts.shortages import Residual, Shelves, Shortage, find_shortages

# A threshold that so many units do not reach is one that no delivery can.
_MOST_UNITS = 1e9


@dataclass(frozen=True)
class WhatIf:
    """The shelves without and with the delivery.

    Shapes: N products, H days.
    before, after: what is expected of each shelf.
    short_before, short_after: bool [N, H]; days on which the shelf is short with at least the alerts' probability, and
        an alert's first day, which may have it only together with the days before.
    alert_gone:   bool [N]; there is an alert, and with the delivery there is none.
    units_needed: [N]; whole units that, delivered on that day, leave no day from it on short.
    """

    before: Shortage
    after: Shortage
    short_before: NDArray[np.bool_]
    short_after: NDArray[np.bool_]
    alert_gone: NDArray[np.bool_]
    units_needed: Array


def what_if(
    shelves: Shelves, day: int, units: float, min_probability: float, residual: Residual = "cumulative"
) -> WhatIf:
    """Compare demand and supply of every shelf without and with `units` more that arrive before the opening of `day`.

    Args:
        day: counted from 0, the business date.
        units: 0 or more.
    Raises: ValueError: where the day lies outside the horizon or the units are negative or not finite.
    """
    horizon = shelves.mean.shape[1]
    if not 0 <= day < horizon:
        raise ValueError(f"day {day} of the horizon, which has days 0 to {horizon - 1}")
    if not (np.isfinite(units) and units >= 0):
        raise ValueError(f"{units} units cannot be delivered: 0 or more are wanted")
    arriving = shelves.arriving.astype(np.float64).copy()
    arriving[:, day] += units
    before = find_shortages(shelves, min_probability, residual)
    after = find_shortages(replace(shelves, arriving=arriving), min_probability, residual)
    return WhatIf(
        before,
        after,
        _short_days(before, min_probability, residual),
        _short_days(after, min_probability, residual),
        before.is_alert & ~after.is_alert,
        _units_needed(shelves, day, min_probability, residual),
    )


def _short_days(shortage: Shortage, min_probability: float, residual: Residual) -> NDArray[np.bool_]:
    if residual == "per_day":
        return np.less(shortage.residual, 0.0)
    of_alert = np.arange(shortage.short_on.shape[1]) == shortage.short_day[:, None]
    by_itself = (shortage.short_on >= min_probability) & (shortage.short_on > 0)
    return np.asarray(by_itself | (shortage.is_alert[:, None] & of_alert), dtype=np.bool_)


def _units_needed(shelves: Shelves, day: int, min_probability: float, residual: Residual) -> Array:
    if residual == "per_day":
        return np.ceil(np.maximum(shelves.mean[:, day] - shelves.arriving[:, day], 0.0))

    def is_short(units: Array) -> NDArray[np.bool_]:
        arriving = shelves.arriving.astype(np.float64).copy()
        arriving[:, day] += units
        found = find_shortages(replace(shelves, arriving=arriving), min_probability, residual)
        return np.asarray(_short_days(found, min_probability, residual)[:, day:].any(axis=1), dtype=np.bool_)

    # Too few, and enough: the wanted number is halved between them.
    few = np.full(len(shelves.mean), -1.0)
    enough = np.zeros(len(shelves.mean))
    while (short := is_short(enough)).any() and enough.max() < _MOST_UNITS:
        few, enough = np.where(short, enough, few), np.where(short, 2.0 * enough + 1.0, enough)
    while (enough - few > 1.0).any():
        middle = np.floor((few + enough) / 2.0)
        short = is_short(middle)
        few, enough = np.where(short, middle, few), np.where(short, enough, middle)
    return enough
