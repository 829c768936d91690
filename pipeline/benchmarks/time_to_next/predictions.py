"""Predictions of the days until the next basket, and the interface of the methods that make them."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from pipeline.benchmarks.time_to_next.gaps import Gaps

HORIZON_DAYS = 28
DAYS = np.arange(1, HORIZON_DAYS + 1)


@dataclass(frozen=True)
class GapPrediction:
    """Predictions for n gaps.

    days: float64 [n], point forecast.
    survival: float64 [n, 28], probability that no basket comes by the end of days 1 to 28; None for a method that
        predicts no distribution.
    """

    days: np.ndarray
    survival: np.ndarray | None = None

    @classmethod
    def by_survival(cls, survival: np.ndarray) -> "GapPrediction":
        """Predictions from survival probabilities; the point forecast is the median within the horizon."""
        return cls(median_within_horizon(survival), survival)

    @property
    def expected_days(self) -> np.ndarray:
        """Expected days within the horizon, or the point forecast without survival; orders gaps; float64 [n]."""
        return self.days if self.survival is None else self.survival.sum(axis=1)


class GapMethod(Protocol):
    """A method that predicts gaps."""

    def fit(self, train: Gaps, validation: Gaps) -> None:
        """Train on one part of the gaps; choose settings by the other."""

    def predict(self, gaps: Gaps) -> GapPrediction:
        """Predict each gap from the baskets before it."""

    def settings(self) -> dict[str, Any]:
        """The configuration, as it is kept beside the scores."""


def median_within_horizon(survival: np.ndarray) -> np.ndarray:
    """Median days of a gap, given that it ends within the horizon; float64 [n, H] -> [n]."""
    ended = np.pad(1.0 - survival, [(0, 0), (1, 0)])
    half = 0.5 * ended[:, -1:]
    day = np.clip((ended < half).sum(axis=1), 1, survival.shape[1])
    rows = np.arange(len(ended))
    before, after = ended[rows, day - 1], ended[rows, day]
    # The probability of a day is spread evenly over it, and the middle of the day counts as that day.
    return day - 0.5 + (half[:, 0] - before) / np.maximum(after - before, 1e-12)
