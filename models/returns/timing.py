"""When returned lines come back, how much of them, and what is left of a probability while nothing has come yet."""

from dataclasses import dataclass

import numpy as np

_SMOOTHING = 0.5
"""Added to the returns of each day: a day without one in training is not impossible."""


@dataclass(frozen=True)
class ReturnTiming:
    """Shares among lines that come back within the return window.

    Args: by_day: of those that come back within 0, 1, ... H days of the sale, ascending to 1; unit_share: part of a
          returned line's units that comes back.
    """

    by_day: tuple[float, ...]
    unit_share: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_day", tuple(float(share) for share in self.by_day))

    @classmethod
    def of_returns(cls, days: np.ndarray, unit_shares: np.ndarray, horizon: int) -> "ReturnTiming":
        """Measure.

        Args: days: int [n], from sale to first return, 0 to `horizon`; unit_shares: float [n], of each line's units.
        """
        counts = np.bincount(days, minlength=horizon + 1)[: horizon + 1] + _SMOOTHING
        share = float(np.clip(unit_shares, 0.0, 1.0).mean()) if len(unit_shares) else 1.0
        return cls(tuple(np.cumsum(counts) / counts.sum()), share)

    @property
    def horizon(self) -> int:
        """H, days after the sale within which a line may come back."""
        return len(self.by_day) - 1

    def ahead(self, probabilities: np.ndarray, ages: np.ndarray) -> np.ndarray:
        """Probability that each line comes back on each of the next days, given that nothing of it has come yet.

        Args:    probabilities: float [n], of coming back within the window, as of the sale; ages: int [n], days from
                 the sale to the first day asked for, at least 1: all days before it are known to be without a return.
        Returns: float64 [n, H]; column d is the day `ages` + d after the sale, 0 beyond the window.
        """
        shares = np.diff(self.by_day, prepend=0.0)
        day = ages[:, None] + np.arange(self.horizon)[None]
        on_day = np.where(day <= self.horizon, shares[np.minimum(day, self.horizon)], 0.0)
        gone = np.asarray(self.by_day)[np.clip(ages - 1, 0, self.horizon)]
        still = 1.0 - probabilities * gone
        found: np.ndarray = (probabilities / np.maximum(still, 1e-12))[:, None] * on_day
        return found

    def as_stored(self) -> dict[str, object]:
        """Constructor arguments, as JSON holds them."""
        return {"by_day": list(self.by_day), "unit_share": self.unit_share}
