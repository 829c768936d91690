"""Scores of predicted offers and of the buckets of days until them."""

import numpy as np

from pipeline.benchmarks.report.calibration import expected_calibration_error, reliability

CUTOFFS = (1, 3, 5)
_TINY = 1e-12


def offer_scores(joint: np.ndarray, offers: np.ndarray, buckets: np.ndarray) -> dict[str, float]:
    """Scores of joint probabilities against what came; float [n, V, K], int [n], int [n].

    `joint` asks for the most probable offer and the most probable bucket to be both right; `gap_f1` is the mean F1 over
    buckets; a tie is resolved against the method. `ece_*` are calibration errors of the two most probable ones.
    """
    n = np.arange(len(offers))
    of_offer, of_bucket = joint.sum(axis=2), joint.sum(axis=1)
    # The true offer's place: those scored higher, and those that tie with it.
    place = (of_offer >= of_offer[n, offers][:, None]).sum(axis=1)
    chosen_bucket = of_bucket.argmax(axis=1)
    right_offer, right_bucket = place == 1, chosen_bucket == buckets
    scores = {f"acc@{k}": float((place <= k).mean()) for k in CUTOFFS}
    return scores | {
        "gap_acc": float(right_bucket.mean()),
        "gap_f1": _mean_f1(chosen_bucket, buckets, joint.shape[2]),
        "joint": float((right_offer & right_bucket).mean()),
        "log_loss_offer": float(-np.log(np.maximum(of_offer[n, offers], _TINY)).mean()),
        "log_loss_gap": float(-np.log(np.maximum(of_bucket[n, buckets], _TINY)).mean()),
        "ece_offer": expected_calibration_error(reliability(of_offer.max(axis=1), right_offer)),
        "ece_gap": expected_calibration_error(reliability(of_bucket.max(axis=1), right_bucket)),
    }


def _mean_f1(chosen: np.ndarray, actual: np.ndarray, n_buckets: int) -> float:
    """Mean over buckets of F1; 0 for a bucket that is never chosen."""
    hits = np.bincount(actual[chosen == actual], minlength=n_buckets)
    either = np.bincount(chosen, minlength=n_buckets) + np.bincount(actual, minlength=n_buckets)
    return float((2.0 * hits / np.maximum(either, 1)).mean())
