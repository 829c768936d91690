"""Features of gaps for methods that read a table: one row per gap, or one per gap and day at risk."""

from typing import Any

import numpy as np
import pandas as pd

from models.ragged import positions_within
from pipeline.benchmarks.time_to_next.gaps import Gaps


def gap_features(gaps: Gaps) -> pd.DataFrame:
    """Features known where each gap begins: earlier gaps, sizes of baskets and the weekday, but no date."""
    histories = gaps.histories
    n_baskets = np.diff(histories.basket_offsets)
    lines = np.diff(histories.product_offsets)
    units = np.add.reduceat(histories.quantities, histories.product_offsets[:-1])
    baskets = pd.DataFrame(
        {
            "funnel": np.repeat(np.arange(len(histories)), n_baskets),
            "gap": np.where(histories.gap_days < 0, np.nan, histories.gap_days),
            "lines": np.log1p(lines),
            "units": np.log1p(np.maximum(units, 0)),
        }
    )
    baskets["log_gap"] = np.log1p(baskets["gap"])
    of = baskets.groupby("funnel")
    found: dict[str, Any] = {"n_gaps": positions_within(n_baskets), "weekday": histories.day_of_week}
    found |= {f"log_gap_{back}": of["log_gap"].shift(back - 1) for back in (1, 2, 3)}
    found |= {"median_gap": of["gap"].expanding().median(), "least_gap": of["gap"].expanding().min()}
    found |= {"greatest_gap": of["gap"].expanding().max(), "deviation": of["log_gap"].expanding().std()}
    found |= {"mean_log_gap": of["log_gap"].expanding().mean()}
    for name in ("lines", "units"):
        found |= {name: baskets[name], f"mean_{name}": of[name].expanding().mean()}
    columns = {name: np.asarray(values, np.float64)[gaps.ends - 1] for name, values in found.items()}
    return pd.DataFrame(columns)


def survived_days(gaps: Gaps) -> np.ndarray:
    """Days without a basket; float64 [n]. A censored gap has survived the day before its last known day."""
    return np.maximum(np.where(gaps.observed, gaps.days, gaps.days - 1), 0.5)


def weekday_of(gaps: Gaps) -> np.ndarray:
    """Weekday on which each gap begins, 0 Monday; int64 [n]."""
    return gaps.histories.day_of_week[gaps.ends - 1].astype(np.int64) - 1


def with_day_at_risk(table: pd.DataFrame, weekday: np.ndarray, day: np.ndarray) -> pd.DataFrame:
    """The features with two more columns: the day at risk and its weekday."""
    return table.assign(day=day, weekday_at_risk=(weekday + day) % 7)


def rows_at_risk(gaps: Gaps, horizon: int) -> tuple[pd.DataFrame, np.ndarray]:
    """One row of features per gap and day of the horizon at risk, and whether the basket came on that day."""
    days = np.minimum(survived_days(gaps), horizon).astype(np.int64)
    rows, day = np.repeat(np.arange(len(gaps)), days), positions_within(days) + 1
    table = gap_features(gaps).iloc[rows].reset_index(drop=True)
    came = gaps.observed[rows] & (gaps.days[rows] == day)
    return with_day_at_risk(table, weekday_of(gaps)[rows], day), came.astype(np.float64)
