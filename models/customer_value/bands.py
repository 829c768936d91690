"""Bands around expected spend: how far customers of about the same expectation ended from it, in a window gone by."""

from dataclasses import dataclass

import numpy as np

COVERED = 0.8
_BINS = 24
_LEAST_IN_BIN = 25


@dataclass(frozen=True)
class Bands:
    """Ends of the band by expected value, both as multiples of it; interpolated between centres.

    centres: float64 [K], ascending, as multiples of a customer's mean; low, high: float64 [K].
    """

    centres: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def of(cls, expected: np.ndarray, observed: np.ndarray) -> "Bands":
        """From a window that nothing was fitted on, both scaled to the same sum.

        The band holds 80 % of the outcomes: a tenth lies below and a tenth above. Where more than a tenth bought
        nothing, the lower end is 0 and nothing can lie below; then a fifth lies above.
        """
        unit = max(float(expected.mean()), 1e-12)
        order = np.argsort(expected, kind="stable")
        n_bins = max(min(_BINS, len(order) // _LEAST_IN_BIN), 1)
        rows = []
        for part in np.array_split(order, n_bins):
            centre = max(float(expected[part].mean()), 1e-12)
            ratios = observed[part] / centre
            nothing = float((ratios <= 0).mean())
            below = 0.0 if nothing > (1.0 - COVERED) / 2 else (1.0 - COVERED) / 2
            rows.append((centre / unit, np.quantile(ratios, below), np.quantile(ratios, below + COVERED)))
        centres, low, high = np.array(rows).T
        return cls(centres, np.maximum(low, 0.0), high)

    def around(self, expected: np.ndarray, unit: float) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper ends; two float64 [n]. Args: unit: mean of all customers' expected values."""
        place = np.log(np.maximum(expected / max(unit, 1e-12), 1e-12))
        ends = [expected * np.interp(place, np.log(self.centres), ratios) for ratios in (self.low, self.high)]
        return ends[0], ends[1]
