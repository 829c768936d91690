"""Calibration of predictions: the mean prediction of each bin beside the mean of what was observed.

Works for probabilities (observed: whether it happened) and for amounts (observed: the amount).
"""

from typing import Any

import numpy as np

N_BINS = 10


def reliability(predicted: np.ndarray, observed: np.ndarray) -> list[dict[str, float]]:
    """Mean prediction and mean observation of each bin; bins hold equally many predictions, lowest first.

    With bins of equal width nearly all products of a next basket would be in the lowest one.

    Args: predicted: float [N], probabilities or amounts; observed: bool or float [N].
    """
    order = np.argsort(predicted, kind="stable")
    return [
        {
            "predicted": round(float(predicted[part].mean()), 5),
            "observed": round(float(observed[part].mean()), 5),
            "n": len(part),
        }
        for part in np.array_split(order, min(N_BINS, len(order)))
    ]


def expected_calibration_error(bins: list[dict[str, Any]]) -> float:
    """Mean distance between prediction and observation over bins, weighted by their number of predictions."""
    n = sum(each["n"] for each in bins)
    return float(sum(each["n"] * abs(each["predicted"] - each["observed"]) for each in bins) / n)


def pooled(trials: list[list[dict[str, Any]]]) -> list[dict[str, float]]:
    """Average the bins of several trials: the lowest bin of each, then the next, and so on."""
    together = []
    for bins in zip(*trials, strict=True):
        counts = [each["n"] for each in bins]
        means = {
            name: round(float(np.average([each[name] for each in bins], weights=counts)), 5)
            for name in ("predicted", "observed")
        }
        together.append(means | {"n": sum(counts)})
    return together
