"""Scores of predicted returns."""

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from pipeline.benchmarks.report.calibration import expected_calibration_error, reliability

_TINY = 1e-12


def return_scores(probabilities: np.ndarray, returned: np.ndarray, values: np.ndarray) -> dict[str, float]:
    """Ranking and calibration of probabilities.

    Args: returned: bool [n]; values: what each line cost, for the share of the returned value among the first percent.
    """
    clipped = np.clip(probabilities, _TINY, 1.0 - _TINY)
    first = np.argsort(-probabilities, kind="stable")[: max(1, len(returned) // 100)]
    return {
        "auc": float(roc_auc_score(returned, probabilities)),
        "ap": float(average_precision_score(returned, probabilities)),
        "log_loss": float(-np.where(returned, np.log(clipped), np.log1p(-clipped)).mean()),
        "bias": float(probabilities.sum() / max(returned.sum(), 1) - 1.0),
        "ece": expected_calibration_error(reliability(probabilities, returned)),
        "value_in_first_percent": float((values * returned)[first].sum() / max((values * returned).sum(), _TINY)),
    }
