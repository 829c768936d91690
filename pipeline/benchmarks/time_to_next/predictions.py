"""What a method predicts for a gap, and the interface of a method."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from pipeline.benchmarks.time_to_next.gaps import Gaps

HORIZON_DAYS = 28
DAYS = np.arange(1, HORIZON_DAYS + 1)


@dataclass(frozen=True)
class Predicted:
    """days: float64 [n], a point forecast of gaps that end; survival: float64 [n, 28], probability that no basket has
    come by the end of day 1 to 28, None where a method has no distribution.
    """

    days: np.ndarray
    survival: np.ndarray | None = None

    @classmethod
    def by_survival(cls, survival: np.ndarray) -> "Predicted":
        """With the median of the gaps that end within the horizon as the point forecast."""
        return cls(median_within(survival), survival)

    @property
    def later(self) -> np.ndarray:
        """What orders gaps from short to long: the expected days within the horizon where they are known."""
        return self.days if self.survival is None else self.survival.sum(axis=1)


class TimeMethod(Protocol):
    """A method."""

    def fit(self, learned: Gaps, chosen_by: Gaps) -> None:
        """Learn from the one, choose by the other."""

    def predict(self, gaps: Gaps) -> Predicted:
        """From each gap's past alone."""

    def settings(self) -> dict[str, Any]:
        """How it is configured."""


def median_within(survival: np.ndarray) -> np.ndarray:
    """Median days of a gap, given that it ends within the horizon; float64 [n, H] -> [n]."""
    come = np.pad(1.0 - survival, [(0, 0), (1, 0)])
    aim = 0.5 * come[:, -1:]
    place = np.clip((come < aim).sum(axis=1), 1, survival.shape[1])
    rows = np.arange(len(come))
    before, after = come[rows, place - 1], come[rows, place]
    # A day's probability is spread over the day before its end: halfway through is that day.
    return place - 0.5 + (aim[:, 0] - before) / np.maximum(after - before, 1e-12)
