"""Alerts of customers who stay away on the last mornings, from the baskets before each, against who then came
(`behaviour_backtests`).

The method of tonight scores the customers as of 7, 14, 21 and 28 days ago. What earlier nights' models predicted is not
read, so that the first night has a back-test, too; and a day on which a store was shut is known from what is known
tonight.
"""

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from models.behaviour.backtest import watch
from models.behaviour.detection import Algorithm, score_behaviour
from models.days import epoch_day
from pipeline.settings import AnomalySettings
from pipeline.tables.behaviour_backtests import BEHAVIOUR_BACKTESTS, BINS
from spark_jobs.behaviour_peers import NO_CATEGORY, Peers, mark_alerts

MORNINGS = (7, 14, 21, 28)
_SCORED = (
    "as_of date, funnel_kind string, funnel_id string, store_id string, score double, is_news boolean, "
    "reported boolean, judged boolean, stayed boolean"
)


def backtest_behaviour(
    lines: DataFrame, products: DataFrame, shut: dict[str, np.ndarray], business_date: date, settings: AnomalySettings
) -> DataFrame:
    """`behaviour_backtests` of customers.

    Args: lines: `funnel_lines`; shut: days before the business date on which each store was shut.
    """
    customers = lines.filter("funnel_kind = 'customer'").join(
        products.select("product_id", "name", F.coalesce("category", F.lit(NO_CATEGORY)).alias("category")),
        "product_id",
        "left",
    )
    scored = customers.groupBy("store_id").applyInPandas(_watcher(business_date, settings, shut), _SCORED)
    marked = mark_alerts(scored, settings.alerts_per_thousand, "as_of", "funnel_kind")
    is_alert = F.col("is_alert") & F.col("reported")
    return (
        marked.filter("judged")
        .groupBy("store_id", "as_of", F.least(F.floor("score"), F.lit(BINS - 1)).cast("int").alias("bin"))
        .agg(
            F.count("*").alias("judged"),
            F.count_if("stayed").alias("stayed_away"),
            F.count_if(is_alert).alias("alerts"),
            F.count_if(is_alert & F.col("stayed")).alias("right_alerts"),
        )
        .select(*BEHAVIOUR_BACKTESTS.column_names)
    )


def _watcher(
    business_date: date, settings: AnomalySettings, shut: dict[str, np.ndarray]
) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """The function that scores the customers of one store on each morning, and watches them after it."""
    algorithm = Algorithm.named(
        settings.distance, settings.embedding, settings.clustering, settings.clusters, settings.cluster_distance
    )
    recent_days, min_baskets, today = settings.recent_days, settings.min_baskets, epoch_day(business_date)

    def judge(rows: pd.DataFrame) -> pd.DataFrame:
        rows = rows.assign(probability=np.nan)
        store = str(rows["store_id"].iloc[0])
        closed = shut.get(store, np.zeros(0, dtype=np.int64))
        tables = [pd.DataFrame(columns=[part.split()[0] for part in _SCORED.split(", ")])]
        for back in MORNINGS:
            as_of = business_date - timedelta(days=back)
            morning = today - back
            before = rows[rows["sold_on"] < as_of]
            if before.empty:
                continue
            shut_then = {store: closed[closed < morning]}
            peers = Peers.of(before, morning - recent_days, shut_then)
            scores = score_behaviour(peers.histories, algorithm, morning, recent_days)
            came = rows[rows["sold_on"] >= as_of].groupby("funnel_id")["sold_on"].min().reindex(peers.funnels)
            next_day = np.array([epoch_day(day) if isinstance(day, date) else np.inf for day in came])
            found = watch(
                peers.histories,
                scores,
                next_day - morning - _shut_between(closed, morning, next_day),
                np.full(len(next_day), back) - _shut_between(closed, morning, np.array([today])),
            )
            is_known = peers.histories.n_history + 1 >= min_baskets
            of_morning = pd.DataFrame(
                {
                    "as_of": as_of,
                    "funnel_kind": "customer",
                    "funnel_id": peers.funnels,
                    "store_id": store,
                    "score": scores.score,
                    "is_news": scores.is_news,
                    "reported": found.reported,
                    "judged": found.judged,
                    "stayed": found.stayed,
                }
            )
            tables.append(of_morning[scores.is_scored & is_known])
        return pd.concat(tables)

    return judge


def _shut_between(closed: np.ndarray, morning: int, until: np.ndarray) -> np.ndarray:
    """Days from the morning to before another day on which the store was shut."""
    return np.searchsorted(closed, until) - np.searchsorted(closed, morning)


def details(backtests: DataFrame) -> dict[str, object]:
    """What the stage says of the last mornings' alerts."""
    columns = ("judged", "stayed_away", "alerts", "right_alerts")
    row = backtests.agg(
        *(F.sum(column).alias(column) for column in columns), F.count_distinct("as_of").alias("n")
    ).first()
    assert row is not None
    if not row.n:
        return {"mornings_backtested": 0}
    return {
        "mornings_backtested": row.n,
        "backtested_alerts": row.alerts,
        "backtested_precision": round(row.right_alerts / max(row.alerts, 1), 3),
        "share_that_stayed_away": round(row.stayed_away / row.judged, 3),
    }
