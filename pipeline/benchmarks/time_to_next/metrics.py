"""Metrics of predicted days until the next basket."""

import numpy as np

from pipeline.benchmarks.report.calibration import expected_calibration_error, reliability
from pipeline.benchmarks.time_to_next.gaps import Gaps
from pipeline.benchmarks.time_to_next.predictions import DAYS, GapPrediction

WEEK = 7


def gap_scores(predicted: GapPrediction, gaps: Gaps) -> dict[str, float]:
    """Scores of one method.

    mae_days: mean absolute error of the gaps that ended.
    concordance: share of comparable pairs of gaps in the right order (Harrell).
    ibs, with survival probabilities only: Brier score of P(no basket by day t), mean over the days of the horizon.
        Every test gap is followed for longer than the horizon, so no weights for censoring are needed.
    ece_week, likewise: expected calibration error of P(a basket within 7 days).
    """
    from lifelines.utils import concordance_index

    scores = {
        "mae_days": float(np.abs(predicted.days - gaps.days)[gaps.observed].mean()),
        "concordance": float(concordance_index(gaps.days, predicted.expected_days, gaps.observed)),
    }
    if predicted.survival is None:
        return scores
    still_out = ~gaps.observed[:, None] | (gaps.days[:, None] > DAYS)
    scores["ibs"] = float(np.square(predicted.survival - still_out).mean())
    bins = reliability(1.0 - predicted.survival[:, WEEK - 1], ~still_out[:, WEEK - 1])
    return scores | {"ece_week": expected_calibration_error(bins)}
