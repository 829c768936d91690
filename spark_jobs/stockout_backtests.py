"""Stock-out alerts of the last mornings, from what was known then, against what was sold (`alert_backtests`).

Each past morning has the supplies of `spark_jobs/past_supplies.py` and the demand that tonight's method would have
forecast on it (`demand_backtests`). What is learned from all mornings calibrates tonight's probabilities, store by
store.
"""

from collections.abc import Callable, Sequence
from datetime import date

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from models.stockouts.backtest import Judged, PastShelves, judge_weeks
from models.stockouts.shortages import Shelves
from pipeline.settings import DemandSettings
from pipeline.tables.alert_backtests import ALERT_BACKTESTS, BINS
from spark_jobs.past_supplies import PAIR, PastSupplies


def backtest_stockouts(demand_backtests: DataFrame, supplies: PastSupplies, settings: DemandSettings) -> DataFrame:
    """`alert_backtests` of stock-outs."""
    days = demand_backtests.withColumn("ahead", F.datediff("demand_on", "as_of")).drop("method")
    shelves = (
        days.filter(F.col("ahead") < settings.horizon_days)
        .join(supplies.stock, [*PAIR, "as_of"])
        .join(supplies.arriving, [*PAIR, "as_of", "demand_on"], "left")
    )
    return shelves.groupBy("store_id").applyInPandas(_store_judge(settings), ALERT_BACKTESTS.ddl)


def _store_judge(settings: DemandSettings) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """The function that judges the past shelves of one store."""

    def judge(rows: pd.DataFrame) -> pd.DataFrame:
        mornings = sorted(rows["as_of"].unique())
        weeks = [_past_shelves(rows[rows["as_of"] == as_of]) for as_of in mornings]
        judged, calibration = judge_weeks(weeks, settings.min_probability, settings.residual)
        tables = [_by_bin(found).assign(as_of=as_of) for as_of, found in zip(mornings, judged, strict=True)]
        summed = pd.concat(tables).assign(
            kind="stockout",
            store_id=rows["store_id"].iloc[0],
            intercept=calibration.intercept,
            slope=calibration.slope,
        )
        return summed[ALERT_BACKTESTS.column_names]

    return judge


def _past_shelves(rows: pd.DataFrame) -> PastShelves:
    """The shelves of one morning from a row per product and day."""
    names, position = np.unique(rows["product_id"].to_numpy(str), return_inverse=True)
    days = int(rows["ahead"].max()) + 1

    def grid(column: str) -> np.ndarray:
        values = np.zeros((len(names), days))
        values[position, rows["ahead"]] = rows[column].fillna(0.0)
        return values

    facts = rows.drop_duplicates("product_id").set_index("product_id").loc[names]
    on_hand, measured = facts["on_hand"].to_numpy(float), facts["measured"].to_numpy(bool)
    shelves = Shelves(grid("mean"), grid("variance"), grid("cumulative_variance"), on_hand, grid("arriving"))
    return PastShelves(shelves, grid("units"), measured)


def _by_bin(found: Judged) -> pd.DataFrame:
    place = np.minimum((found.stated * BINS).astype(int), BINS - 1)
    right = found.is_alert & found.happened
    sums = pd.DataFrame(
        {
            "bin": place.astype(np.int32),
            "judged": 1,
            "stated": found.stated,
            "happened": found.happened.astype(np.int64),
            "alerts": found.is_alert.astype(np.int64),
            "right_alerts": right.astype(np.int64),
            "days_ahead": np.where(right, found.days_ahead, 0),
        }
    )
    return sums.groupby("bin", as_index=False).sum()


def details(backtests: DataFrame, missing: Sequence[date]) -> dict[str, object]:
    """What the stage says of the last weeks' alerts."""
    columns = ("judged", "stated", "happened", "alerts", "right_alerts", "days_ahead")
    row = backtests.agg(
        *(F.sum(column).alias(column) for column in columns), F.count_distinct("as_of").alias("n")
    ).first()
    assert row is not None
    found: dict[str, object] = {"mornings_backtested": row.n}
    if missing:
        found["mornings_without_stock"] = ", ".join(map(str, missing))
    if row.n:
        found |= {
            "backtested_precision": round(row.right_alerts / max(row.alerts, 1), 3),
            "backtested_recall": round(row.right_alerts / max(row.happened, 1), 3),
            "backtested_days_ahead": round(row.days_ahead / max(row.right_alerts, 1), 2),
        }
    return found
