"""A paired bootstrap of the difference between two forecasts: both are scored on the same resamples.

A resample draws products, each with all its windows, because errors of one product are alike from week to week, and
then windows. An interval over four windows is a rough one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

RESAMPLES = 2000
ENDS = (0.025, 0.975)
_DIGITS = 5


@dataclass(frozen=True)
class WeekErrors:
    """Errors of one method in one window, by product: units sold [N], and the losses [N] of each measure."""

    sold: Array
    losses: dict[str, Array]


def differences(
    ours: Sequence[WeekErrors],
    other: Sequence[WeekErrors],
    chosen: Sequence[NDArray[np.bool_]],
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """The difference of loss over units sold, ours less the other's, mean over windows, with its interval; per measure.

    Args: one element per window; products [N] in the same order everywhere, `chosen` the ones that are scored.
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
