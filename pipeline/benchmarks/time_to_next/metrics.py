"""How well days until the next basket are predicted."""

import numpy as np

from pipeline.benchmarks.report.calibration import expected_calibration_error, reliability
from pipeline.benchmarks.time_to_next.gaps import Gaps
from pipeline.benchmarks.time_to_next.predictions import DAYS, Predicted

WEEK = 7


def gap_scores(predicted: Predicted, gaps: Gaps) -> dict[str, float]:
    """Scores of one method.

    mae_days: mean absolute error of the gaps that ended. concordance: share of comparable pairs of gaps put in the
    right order (Harrell). With a distribution also ibs: Brier score of having come by day t, mean over the days of the
    horizon (every gap asked for is followed for longer, so nothing is weighted), and ece_week: expected calibration
    error of P(return within 7 days).
    """
    from lifelines.utils import concordance_index

    scores = {
        "mae_days": float(np.abs(predicted.days - gaps.days)[gaps.observed].mean()),
        "concordance": float(concordance_index(gaps.days, predicted.later, gaps.observed)),
    }
    if predicted.survival is None:
        return scores
    still_out = ~gaps.observed[:, None] | (gaps.days[:, None] > DAYS)
    scores["ibs"] = float(np.square(predicted.survival - still_out).mean())
    bins = reliability(1.0 - predicted.survival[:, WEEK - 1], ~still_out[:, WEEK - 1])
    return scores | {"ece_week": expected_calibration_error(bins)}
