"""The rhythm of a customer's baskets: how far apart they came, how large they were, and the weekday of the last one."""

import numpy as np

from models.fields import RHYTHM_FEATURES
from models.ragged import ranges
from pipeline.dataset.histories import Histories

_LATEST = 3
_WEEK = np.arange(1.0, 8.0)  # as in `Histories.day_of_week`


def rhythm_of(histories: Histories, funnels: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Columns RHYTHM_FEATURES of the baskets of each funnel before `ends`, all of them; float32 [B, R].

    Args: funnels: int64 [B], rows of `histories`; ends: int64 [B], positions among all baskets, each after its funnel's
          first basket.
    """
    first = histories.basket_offsets[funnels]
    n_baskets = ends - first
    last_on = histories.day_of_week[ends - 1][:, None] == _WEEK
    found = dict(zip(RHYTHM_FEATURES[-len(_WEEK) :], last_on.T, strict=True))
    # Before the first basket lies no gap.
    found |= _of_gaps(histories.gap_days[ranges(first + 1, n_baskets - 1)], n_baskets - 1)
    found |= _of_sizes(histories, ranges(first, n_baskets), n_baskets)
    return np.stack([found[name] for name in RHYTHM_FEATURES], axis=1).astype(np.float32)


def _of_gaps(gap_days: np.ndarray, count: np.ndarray) -> dict[str, np.ndarray]:
    """Of the gaps of all funnels, one after another, so many of each; 0 where there is none; [B] each."""
    logs = np.log1p(np.maximum(gap_days, 0.0, dtype=np.float64))
    of = np.repeat(np.arange(len(count)), count)
    # One more value, for funnels without a gap.
    latest, in_order = np.append(logs, 0.0), np.append(logs[np.lexsort((logs, of))], 0.0)
    ends = np.cumsum(count)
    mean = _means(logs, count)
    found = {"log_gaps": np.log1p(count), "mean_log_gap": mean}
    for back in range(1, _LATEST + 1):
        has = count >= back
        found |= {f"has_gap_{back}": has, f"log_gap_{back}": latest[np.where(has, ends - back, -1)]}
    deviation = logs - mean[of]
    found["deviation_of_log_gap"] = np.sqrt(_means(np.square(deviation), count))
    has, start = count > 0, ends - count
    found["log_least_gap"] = in_order[np.where(has, start, -1)]
    found["log_greatest_gap"] = in_order[np.where(has, ends - 1, -1)]
    middle = [in_order[np.where(has, start + (count - 1 + more) // 2, -1)] for more in (0, 1)]
    # Between two gaps lies the middle of their days, not of the logarithms.
    found["log_median_gap"] = np.log1p((np.expm1(middle[0]) + np.expm1(middle[1])) / 2.0)
    return found


def _of_sizes(histories: Histories, baskets: np.ndarray, count: np.ndarray) -> dict[str, np.ndarray]:
    """Of the baskets of all funnels, one after another, so many of each, at least one; [B] each."""
    n_lines = np.diff(histories.product_offsets)[baskets]
    lines = ranges(histories.product_offsets[baskets], n_lines)
    units = np.bincount(
        np.repeat(np.arange(len(baskets)), n_lines), histories.quantities[lines], minlength=len(baskets)
    )
    found: dict[str, np.ndarray] = {}
    for name, sizes in (("lines", n_lines), ("units", np.maximum(units, 0.0))):
        logs = np.log1p(sizes)
        found |= {f"log_{name}": logs[np.cumsum(count) - 1], f"mean_log_{name}": _means(logs, count)}
    return found


def _means(values: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Of the values of all funnels, one after another, so many of each; 0 of none; float64 [B]."""
    total = np.bincount(np.repeat(np.arange(len(count)), count), values, minlength=len(count))
    return total / np.maximum(count, 1)
