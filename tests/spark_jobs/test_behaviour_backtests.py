"""Alerts of past mornings read nothing later than their morning, and are held against who then came."""

from datetime import timedelta
from typing import Any

import numpy as np
from pyspark.sql import SparkSession

from models.days import epoch_day
from pipeline.settings import AnomalySettings
from spark_jobs.behaviour_backtests import backtest_behaviour, details
from spark_jobs.detect_anomalies import funnel_lines
from tests.factories import BUSINESS_DATE, basket, product
from tests.published_tables import frame

CUSTOMERS = 40
SETTINGS = AnomalySettings(alerts_per_thousand=25)


def visits(*, lost_for: int) -> list[dict[str, Any]]:
    """Customers who come every third day up to the night; the first one stopped so many days ago."""
    return [
        basket(
            customer_id=f"c{customer:02}",
            sold_on=BUSINESS_DATE - timedelta(days=back),
            products=[(f"p{(customer + step) % 5}", 1.0, 100) for step in range(2)],
        )
        for customer in range(CUSTOMERS)
        for back in range(1 + customer % 3, 100, 3)
        if customer or back > lost_for
    ]


def backtest(spark: SparkSession, rows: list[dict[str, Any]], shut: list[int] | None = None) -> list[Any]:
    lines = funnel_lines(frame(spark, "baskets", rows), BUSINESS_DATE, SETTINGS)
    products = frame(spark, "products", [product(product_id=f"p{number}") for number in range(5)])
    closed = np.array(sorted(epoch_day(BUSINESS_DATE) - back for back in shut or []), dtype=np.int64)
    found = backtest_behaviour(lines, products, {"s1": closed}, BUSINESS_DATE, SETTINGS)
    return sorted(found.collect(), key=lambda row: (row.as_of, row.bin))


def test_a_lost_customer_is_a_right_alert_of_the_mornings_after(spark: SparkSession) -> None:
    found = backtest(spark, visits(lost_for=20))
    mornings = {row.as_of for row in found}
    assert mornings == {BUSINESS_DATE - timedelta(days=back) for back in (7, 14, 21, 28)}
    right = {row.as_of for row in found if row.right_alerts}
    # On the morning 14 days ago the silence of a week is news.
    assert BUSINESS_DATE - timedelta(days=14) in right
    assert not {BUSINESS_DATE - timedelta(days=back) for back in (21, 28)} & right
    assert all(row.right_alerts <= row.alerts <= row.judged and row.stayed_away <= row.judged for row in found)


def test_what_comes_later_changes_no_alert_of_a_past_morning(spark: SparkSession) -> None:
    morning = BUSINESS_DATE - timedelta(days=14)
    later = [row for row in visits(lost_for=20) if row["sold_on"] < morning or row["customer_id"] < "c20"]
    before, after = backtest(spark, visits(lost_for=20)), backtest(spark, later)
    assert [(row.bin, row.judged, row.alerts) for row in before if row.as_of == morning] == [
        (row.bin, row.judged, row.alerts) for row in after if row.as_of == morning
    ]


def test_nobody_stays_away_from_a_store_that_is_shut(spark: SparkSession) -> None:
    shut = [row for row in visits(lost_for=0) if row["sold_on"] < BUSINESS_DATE - timedelta(days=7)]
    found = backtest(spark, shut, list(range(1, 8)))
    assert sum(row.stayed_away for row in found) == 0
    assert details(spark.createDataFrame(found))["share_that_stayed_away"] == 0.0
