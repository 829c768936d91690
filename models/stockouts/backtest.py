"""Stock-out alerts of past weeks, as they would have been, against what became of the shelves."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.demand.counts import Array
from models.stockouts.calibration import UNCHANGED, Calibration, Week, fit_calibration
from models.stockouts.shortages import Residual, Shelves, find_shortages


@dataclass(frozen=True)
class PastShelves:
    """One store's shelves as they were on a past morning, and what was sold in the days after it.

    Shapes: N products, H days.
    sold:     float64 [N, H].
    measured: bool [N]; the stock was counted. What has sold out then was short; of a derived plan, whose shelves stand
        nowhere, what sold more than it holds.
    """

    shelves: Shelves
    sold: Array
    measured: NDArray[np.bool_]

    def short_days(self) -> NDArray[np.bool_]:
        """Days by which the shelf did not hold what was asked for, [N, H]."""
        supply = self.shelves.on_hand[:, None] + np.cumsum(self.shelves.arriving, axis=1)
        sold = np.cumsum(self.sold, axis=1)
        out = (sold >= supply) & (sold > 0)
        short: NDArray[np.bool_] = np.where(self.measured[:, None], out, sold > supply)
        return short


@dataclass(frozen=True)
class Judged:
    """What was stated of each shelf and what came, [N] each.

    stated:      probability of being short within the days, calibrated by the weeks before.
    happened:    the shelf was short.
    is_alert:    it would have been an alert.
    days_ahead:  days from that morning to the first short day; 0 where it was not short.
    """

    stated: Array
    happened: NDArray[np.bool_]
    is_alert: NDArray[np.bool_]
    days_ahead: NDArray[np.int64]


def judge_weeks(
    weeks: Sequence[PastShelves], min_probability: float, residual: Residual
) -> tuple[list[Judged], Calibration]:
    """Every week, judged with the calibration that the weeks before it gave, and the calibration that all give.

    Args: weeks: oldest first.
    """
    judged, past, calibration = [], list[Week](), UNCHANGED
    for week in weeks:
        raw = find_shortages(week.shelves, min_probability, residual).short_by.max(axis=1)
        shelves = replace(week.shelves, calibration=calibration)
        shortage, short = find_shortages(shelves, min_probability, residual), week.short_days()
        came = np.asarray(short.any(axis=1))
        judged.append(
            Judged(shortage.short_by.max(axis=1), came, shortage.is_alert, np.where(came, short.argmax(axis=1), 0))
        )
        past.append((raw, came))
        calibration = fit_calibration(past)
    return judged, calibration
