"""Features of gaps for methods that read a table: one row per gap, or one per gap and day at risk."""

import numpy as np
import pandas as pd

from models.fields import RHYTHM_FEATURES
from models.ragged import positions_within
from pipeline.benchmarks.time_to_next.gaps import Gaps
from pipeline.dataset.rhythm import rhythm_of


def gap_features(gaps: Gaps) -> pd.DataFrame:
    """The rhythm of the baskets before each gap, as the model reads it; not a number where too few gaps say it.

    One row per gap, columns of models.fields.RHYTHM_FEATURES, of which the weekday is one number.
    """
    rhythm = rhythm_of(gaps.histories, gaps.funnels, gaps.ends).astype(np.float64)
    table = pd.DataFrame(rhythm, columns=list(RHYTHM_FEATURES))
    needed = {"log_gap_2": "has_gap_2", "log_gap_3": "has_gap_3", "deviation_of_log_gap": "has_gap_2"}
    for name in RHYTHM_FEATURES:
        if "gap" in name and name != "log_gaps" and not name.startswith("has_"):
            table[name] = table[name].where(table[needed.get(name, "has_gap_1")] > 0)
    indicators = [name for name in RHYTHM_FEATURES if name.startswith(("has_", "last_on_"))]
    return table.drop(columns=indicators).assign(weekday=weekday_of(gaps))


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
