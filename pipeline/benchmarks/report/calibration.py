"""Calibration: predicted probabilities against observed shares, and predicted numbers against observed ones."""

from typing import Any

import numpy as np

N_BINS = 10


def reliability(predicted: np.ndarray, came: np.ndarray) -> list[dict[str, float]]:
    """Mean of what was predicted and of what came, in bins that hold as many forecasts each.

    Bins of equal width would put nearly all products of a next basket into the lowest one.

    Args: predicted: float [N], probabilities or numbers; came: [N], bool or numbers.
    """
    order = np.argsort(predicted, kind="stable")
    return [
        {
            "predicted": round(float(predicted[part].mean()), 5),
            "came": round(float(came[part].mean()), 5),
            "n": len(part),
        }
        for part in np.array_split(order, min(N_BINS, len(order)))
    ]


def expected_calibration_error(bins: list[dict[str, Any]]) -> float:
    """Distance between what was predicted and what came, weighted by how many forecasts each bin holds."""
    n = sum(each["n"] for each in bins)
    return float(sum(each["n"] * abs(each["predicted"] - each["came"]) for each in bins) / n)


def pooled(trials: list[list[dict[str, Any]]]) -> list[dict[str, float]]:
    """The bins of several trials as one: the lowest of each together, and so on."""
    together = []
    for bins in zip(*trials, strict=True):
        counts = [each["n"] for each in bins]
        means = {
            name: round(float(np.average([each[name] for each in bins], weights=counts)), 5)
            for name in ("predicted", "came")
        }
        together.append(means | {"n": sum(counts)})
    return together
