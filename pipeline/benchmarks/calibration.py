"""Whether things foretold with a probability happen that often."""

from typing import Any

import numpy as np

N_BINS = 10


def reliability(probability: np.ndarray, came: np.ndarray) -> list[dict[str, float]]:
    """Mean probability and share that came, in bins that hold as many forecasts each.

    Bins of equal width would put nearly all products of a next basket into the lowest one.
    """
    order = np.argsort(probability, kind="stable")
    return [
        {
            "probability": round(float(probability[part].mean()), 5),
            "share": round(float(came[part].mean()), 5),
            "n": len(part),
        }
        for part in np.array_split(order, min(N_BINS, len(order)))
    ]


def expected_calibration_error(bins: list[dict[str, Any]]) -> float:
    """Distance between probability and share, weighted by how many forecasts each bin holds."""
    n = sum(each["n"] for each in bins)
    return float(sum(each["n"] * abs(each["probability"] - each["share"]) for each in bins) / n)
