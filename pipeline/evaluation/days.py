"""How well the day of the next basket is predicted, over all customers: also those who did not come back.

The error in days counts only customers who came back within the held-out window, most of them after a short gap. These
two scores read each customer's probability of still being without a basket after every day of the window instead.
"""

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.dataset.tensors import compiled

if TYPE_CHECKING:
    from models.lens import Lens
    from pipeline.dataset.examples import NextBasketExamples

BRIER = "days_brier"
CONCORDANCE = "days_concordance"
BATCH_SIZE = 256
_TIMES = "times"


def measure_days(model: "Lens", data: "NextBasketExamples", customer_rows: np.ndarray, limit: int) -> dict[str, float]:
    """Scores of a model over the first `limit` customers who wait for a basket when the window begins.

    Args: customer_rows: int [C], the model's row of each customer of `data`.
    Returns: nothing for a model that predicts no distribution (a regression), or where nobody waits.
    """
    if model.config.time_head != "hazard":
        return {}
    predict = compiled(lambda batch: model.log_survival(_without(batch, _TIMES), batch[_TIMES]))
    survival, days, has_come = [], [], []
    for waits in data.waits(BATCH_SIZE, limit):
        batch = waits.batch | {"customer_ids": customer_rows[waits.batch["customer_ids"]]}
        # Nobody had a basket until the day before the window: all is conditional on that.
        times = waits.elapsed_days[:, None] - 1.0 + np.arange(data.window_days + 1)
        log_survival = predict(batch | {_TIMES: times.astype(np.float32)}).astype(np.float64)
        survival.append(np.exp(log_survival[:, 1:] - log_survival[:, :1]))
        days.append(waits.days)
        has_come.append(waits.has_come)
    if not survival:
        return {}
    return day_scores(np.concatenate(survival), np.concatenate(days), np.concatenate(has_come))


def measure_kaplan_meier(data: "NextBasketExamples", limit: int) -> dict[str, float]:
    """The same scores of one survival function for all, which knows only how long a customer has waited.

    Source: Kaplan and Meier, "Nonparametric estimation from incomplete observations", 1958 (lifelines).
    """
    from lifelines import KaplanMeierFitter

    waits = list(data.waits(BATCH_SIZE, limit))
    gaps, ended = data.training_gaps()
    if not waits or not ended.any():
        return {}
    fitted = KaplanMeierFitter().fit(gaps, ended)
    elapsed = np.concatenate([each.elapsed_days for each in waits])
    times = elapsed[:, None] - 1 + np.arange(data.window_days + 1)
    alive = fitted.survival_function_at_times(times.ravel()).to_numpy().reshape(times.shape)
    # Beyond the longest gap that was seen the estimate says nothing: such a customer is gone.
    survival = np.where(alive[:, :1] > 0, alive[:, 1:] / np.maximum(alive[:, :1], 1e-12), 1.0)
    return day_scores(
        survival, np.concatenate([each.days for each in waits]), np.concatenate([each.has_come for each in waits])
    )


def day_scores(survival: np.ndarray, days: np.ndarray, has_come: np.ndarray) -> dict[str, float]:
    """Brier score, mean over the window's days, and concordance.

    Shapes: B customers, D days of the window.
    Args:    survival: [B, D], probability that no basket has come by the end of each day of the window;
             days: int [B], full days without a basket; has_come: bool [B], false where none came in the window.
    Returns: `days_brier`, smaller is better; `days_concordance`, the share of comparable pairs in the right order
             (Harrell), absent where no two can be compared. All customers are followed to the end of the window, so
             that no weights for censoring are needed.
    """
    from lifelines.utils import concordance_index

    is_out = ~has_come[:, None] | (days[:, None] >= np.arange(1, survival.shape[1] + 1))
    scores = {BRIER: float(np.square(survival - is_out).mean())}
    with suppress(ZeroDivisionError):  # nobody came, or everybody at once
        scores[CONCORDANCE] = float(concordance_index(days, survival.sum(axis=1), has_come))
    return scores


def _without(batch: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in batch.items() if key != name}
