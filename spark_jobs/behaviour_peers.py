"""Funnels of one kind and store as arrays, when stores were shut, and which funnels alert."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F
from scipy.sparse import csr_array

from models.behaviour.funnel_baskets import FunnelBaskets
from models.days import day_of, epoch_day, epoch_days
from models.demand.sales_history import closed_days
from pipeline.sources.calendar import Calendar, days_between

NO_CATEGORY = "none"


@dataclass(frozen=True)
class Peers:
    """The funnels of one kind and store as arrays.

    funnels: [F] ids; stores: [F]; names: [P] of products; histories: their baskets;
    predicted: [B, P] probability that an earlier night gave a product of a basket; monthly_cents: [F].
    """

    funnels: np.ndarray
    stores: np.ndarray
    names: list[str]
    histories: FunnelBaskets
    predicted: csr_array
    monthly_cents: np.ndarray

    @classmethod
    def of(cls, rows: pd.DataFrame, recent_from: int, shut: dict[str, np.ndarray]) -> "Peers":
        """From lines bought (with `units`) and lines predicted (with `probability`), in any order."""
        rows = rows.sort_values(["funnel_id", "sold_on", "product_id"])
        funnels, first, funnel = np.unique(rows["funnel_id"].to_numpy(str), return_index=True, return_inverse=True)
        products, first_of, product = np.unique(
            rows["product_id"].to_numpy(str), return_index=True, return_inverse=True
        )
        categories = rows["category"].fillna(NO_CATEGORY).to_numpy(str)[first_of]
        day = epoch_days(rows["sold_on"])
        bought = rows["units"].notna().to_numpy()
        histories = FunnelBaskets.of_lines(
            funnel[bought],
            day[bought],
            product[bought],
            rows["units"].to_numpy(float)[bought],
            rows["amount_cents"].to_numpy(float)[bought],
            category=np.unique(categories, return_inverse=True)[1],
            recent_from=recent_from,
            shut_since=_shut_since(rows["store_id"].to_numpy(str), day, shut)[bought],
        )
        baskets = histories.positions(funnel[~bought], day[~bought])
        probability = rows["probability"].to_numpy(float)[~bought]
        return cls(
            funnels=funnels,
            stores=rows["store_id"].to_numpy(object)[first],
            names=rows["name"].fillna(rows["product_id"]).to_numpy(str)[first_of].tolist(),
            histories=histories,
            predicted=csr_array(
                (probability, (baskets, product[~bought])), shape=(len(histories.funnel), len(products))
            ),
            monthly_cents=histories.per_month(),
        )


def _shut_since(stores: np.ndarray, days: np.ndarray, shut: dict[str, np.ndarray]) -> np.ndarray:
    """Days after each day on which its store was shut, [L]."""
    since = np.zeros(len(days), dtype=np.int64)
    for store in set(stores) & set(shut):
        of = stores == store
        since[of] = len(shut[store]) - np.searchsorted(shut[store], days[of], side="right")
    return since


def shut_days(baskets: DataFrame, business_date: date, calendar: Calendar) -> dict[str, np.ndarray]:
    """Days by store on which it was shut before the business date, as days since 1970-01-01 in order.

    Known from the calendar, or days without a basket where that is next to impossible at the store's usual trade.
    """

    def of_store(days: pd.DataFrame) -> pd.DataFrame:
        store, sold_on = str(days["store_id"].iloc[0]), epoch_days(days["sold_on"])
        first = int(sold_on.min())
        counts = np.zeros(epoch_day(business_date) - first)
        counts[sold_on - first] = days["n"]
        dates = days_between(day_of(first), business_date)[:-1]
        known = calendar.closed_days(store, dates)
        shut = np.array([day in known for day in dates])
        if calendar.finds_closed_days:
            shut |= closed_days(counts, np.array([day.weekday() for day in dates]))
        # Whoever sold something was open.
        return pd.DataFrame({"store_id": store, "day": first + np.flatnonzero(shut & (counts == 0))})

    per_day = baskets.filter(F.col("sold_on") < F.lit(business_date)).groupBy("store_id", "sold_on")
    counted = per_day.agg(F.count("*").cast("double").alias("n"))
    found = counted.groupBy("store_id").applyInPandas(of_store, "store_id string, day bigint").collect()
    shut: dict[str, list[int]] = {}
    for row in found:
        shut.setdefault(row.store_id, []).append(row.day)
    return {store: np.array(sorted(days)) for store, days in shut.items()}


def mark_alerts(scored: DataFrame, alerts_per_thousand: float, *kinds: str) -> DataFrame:
    """Mark the strangest news of each group by these columns, so many per thousand; where that is below one, what is as
    improbable as the rate."""
    order = Window.partitionBy(*kinds).orderBy(F.col("is_news").desc(), F.col("score").desc(), "funnel_id")
    share = alerts_per_thousand / 1000.0
    wanted = F.round(F.count("*").over(Window.partitionBy(*kinds)) * share)
    few = (wanted < 1) & (F.pow(F.lit(10.0), -F.col("score")) <= share)
    is_wanted = (F.row_number().over(order) <= wanted) & (F.col("score") > 0) | few
    return scored.withColumn("is_alert", F.col("is_news") & is_wanted)
