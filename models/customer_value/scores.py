"""Recency, frequency and monetary value as quintiles, and the names that the trade gives to their combinations."""

from dataclasses import dataclass

import numpy as np

QUINTILES = (0.2, 0.4, 0.6, 0.8)
# By recency score, then by frequency score, each from 1 (worst) to 5. Source: the usual map of both scores, as in
# Putler's "RFM analysis" and the R package rfm.
_NAMES = {
    1: ("hibernating", "hibernating", "at risk", "at risk", "cannot lose"),
    2: ("hibernating", "hibernating", "at risk", "at risk", "cannot lose"),
    3: ("about to sleep", "about to sleep", "need attention", "loyal", "loyal"),
    4: ("promising", "potential loyalists", "potential loyalists", "loyal", "loyal"),
    5: ("new", "potential loyalists", "potential loyalists", "champions", "champions"),
}
_TABLE = np.array([_NAMES[score] for score in range(1, 6)], object)


@dataclass(frozen=True)
class Cuts:
    """Values that cut a source's customers into fifths; each float64 [4], ascending."""

    recency: np.ndarray
    frequency: np.ndarray
    monetary: np.ndarray

    @classmethod
    def of(cls, recency: np.ndarray, frequency: np.ndarray, monetary: np.ndarray) -> "Cuts":
        """Of all customers: the smallest value that at least a fifth, two fifths ... do not exceed."""
        columns = (recency, frequency, monetary)
        return cls(*(np.quantile(column, QUINTILES, method="inverted_cdf").astype(float) for column in columns))


def scored(values: np.ndarray, cuts: np.ndarray, smaller_is_better: bool = False) -> np.ndarray:
    """Scores from 1 to 5, 5 the best; int64 [n].

    A value is one score higher for each cut that it exceeds, so that equal values have equal scores; where many are
    equal, some scores are nobody's.
    """
    above = np.searchsorted(cuts, values, side="left")
    return 5 - above if smaller_is_better else 1 + above


def segment_names(recency: np.ndarray, frequency: np.ndarray) -> np.ndarray:
    """Names by both scores; object [n], each of `kinds.SEGMENTS`."""
    found: np.ndarray = _TABLE[recency - 1, frequency - 1]
    return found
