"""Scores of predicted returns."""

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from pipeline.benchmarks.report.calibration import expected_calibration_error, reliability

_TINY = 1e-12
_RANKING = {"auc": roc_auc_score, "ap": average_precision_score}


_RESAMPLES, _BAND = 200, (0.05, 0.95)


def return_scores(
    probabilities: np.ndarray, returned: np.ndarray, values: np.ndarray, customers: np.ndarray
) -> dict[str, float]:
    """Ranking and calibration of probabilities.

    A whole order comes back at once, so that one customer may weigh as much as a fifth of all returns: `auc_without`
    and `ap_without` leave out the customer with the most returned lines, and the interval resamples customers.

    Args: returned: bool [n]; values: what each line cost, for the share of the returned value among the first percent;
          customers: int [n], from 0 on.
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
        **_by_customer(probabilities, returned, customers),
    }


def _by_customer(probabilities: np.ndarray, returned: np.ndarray, customers: np.ndarray) -> dict[str, float]:
    """Ranking without the customer with the most returns, and its 90 % interval over resampled customers."""
    others = customers != np.bincount(customers, returned).argmax()
    random, n = np.random.default_rng(0), int(customers.max()) + 1
    drawn: dict[str, list[float]] = {name: [] for name in _RANKING}
    for _ in range(_RESAMPLES):
        weights = np.bincount(random.integers(0, n, n), minlength=n)[customers].astype(float)
        if (weights[returned] > 0).any() and (weights[~returned] > 0).any():
            for name, score in _RANKING.items():
                drawn[name].append(score(returned, probabilities, sample_weight=weights))
    found = {}
    for name, score in _RANKING.items():
        if returned[others].any():
            found[f"{name}_without"] = float(score(returned[others], probabilities[others]))
        if drawn[name]:
            found[f"{name}_low"], found[f"{name}_high"] = (float(np.quantile(drawn[name], at)) for at in _BAND)
    return found
