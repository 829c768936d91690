"""How sure a difference between two forecasts is: both are judged on the same products and windows, drawn again.

A sample draws products, each with all its windows, since one that is misjudged in a week is so in the next, and then
windows. Few windows are few draws: an interval over four is a rough one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.demand.counts import quantile
from models.demand.forecast import DemandForecast
from pipeline.benchmarks.stockouts.metrics import pinball_losses

Array = NDArray[np.float64]

RESAMPLES = 2000
ENDS = (0.025, 0.975)
_DIGITS = 5


@dataclass(frozen=True)
class WeekErrors:
    """One method's errors of one window, by product, [N] each: units sold and the losses by name of the measure."""

    sold: Array
    losses: dict[str, Array]


def week_errors(forecast: DemandForecast, units: Array) -> WeekErrors:
    """Absolute error of the window's units, and pinball loss of its 90 % quantile; units [N, H]."""
    sold, mean, variance = units.sum(axis=1), forecast.cumulative_mean[:, -1], forecast.cumulative_variance[:, -1]
    losses = {
        "week WAPE": np.abs(mean - sold),
        "p90": pinball_losses(quantile(mean, variance, 0.9), sold, 0.9),
    }
    return WeekErrors(sold, losses)


def differences(
    ours: Sequence[WeekErrors],
    other: Sequence[WeekErrors],
    chosen: Sequence[NDArray[np.bool_]],
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Loss over units sold, ours less the other's, mean over windows, with its interval; one entry per measure.

    Args: one element per window; products [N] in the same order everywhere, `chosen` those that are judged.
    """
    n, windows, rng = len(chosen[0]), len(chosen), np.random.default_rng(seed)
    sold = np.stack([errors.sold * which for errors, which in zip(ours, chosen, strict=True)])
    names = list(ours[0].losses)
    apart = np.stack(
        [
            [(one.losses[name] - two.losses[name]) * which for one, two, which in zip(ours, other, chosen, strict=True)]
            for name in names
        ]
    )
    found = (apart.sum(axis=2) / np.maximum(sold.sum(axis=1), 1e-9)).mean(axis=1)
    samples = np.empty((resamples, len(names)))
    for sample in range(resamples):
        times = np.bincount(rng.integers(n, size=n), minlength=n).astype(float)
        drawn = rng.integers(windows, size=windows)
        samples[sample] = ((apart @ times) / np.maximum(sold @ times, 1e-9))[:, drawn].mean(axis=1)
    low, high = np.quantile(samples, ENDS, axis=0)
    return [
        {
            "measure": name,
            "difference": round(float(found[row]), _DIGITS),
            "low": round(float(low[row]), _DIGITS),
            "high": round(float(high[row]), _DIGITS),
            "resamples": resamples,
        }
        for row, name in enumerate(names)
    ]
