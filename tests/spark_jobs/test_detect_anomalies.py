from datetime import timedelta
from typing import Any

import pytest
from pyspark.sql import SparkSession

from pipeline.settings import AnomalySettings, Settings
from pipeline.workspace import Workspace
from spark_jobs.detect_anomalies import detect_anomalies, main
from tests.factories import BUSINESS_DATE, basket, prediction, product
from tests.published_tables import frame, publish

ARGUMENTS = ["--source", "shop", "--business-date", BUSINESS_DATE.isoformat(), "--run-id", "run1"]
CUSTOMERS, BASKETS = 40, 12
PRODUCTS = [product(product_id=f"p{number}", name=f"Food {number}", category=f"k{number // 4}") for number in range(16)]


def shop(changed: int | None = 3) -> list[dict[str, Any]]:
    """Customers who come once a week for the same few products; one of them bought quite others lately."""
    rows = []
    for customer in range(CUSTOMERS):
        for back in range(BASKETS):
            numbers = [(customer + step + back % 2) % 8 for step in range(3)]
            if customer == changed and back == 0:
                numbers = [9, 11, 13, 15]
            day = BUSINESS_DATE - timedelta(days=1 + customer % 5 + back * 7 + (customer + back) % 2)
            lines = sorted((f"p{number}", 1.0 + (customer + back) % 3, 100) for number in numbers)
            rows.append(basket(customer_id=f"c{customer:02}", sold_on=day, products=lines))
    return rows


def detect(
    spark: SparkSession, baskets: list[dict[str, Any]], predictions: list[dict[str, Any]] | None = None, **fields: Any
) -> list[Any]:
    found = detect_anomalies(
        baskets=frame(spark, "baskets", baskets),
        predictions=frame(spark, "predictions", predictions or []),
        products=frame(spark, "products", PRODUCTS),
        business_date=BUSINESS_DATE,
        settings=AnomalySettings(**fields),
    )
    return sorted(found.collect(), key=lambda row: (row.funnel_kind, row.funnel_id))


@pytest.fixture(scope="module")
def scored(spark: SparkSession) -> list[Any]:
    """What is found in the shop."""
    return detect(spark, shop())


def test_customers_and_stores_are_scored(scored: list[Any]) -> None:
    assert [row.funnel_kind for row in scored] == ["customer"] * CUSTOMERS + ["store"]


def test_the_changed_customer_is_the_strangest_and_alerts(scored: list[Any]) -> None:
    customers = [row for row in scored if row.funnel_kind == "customer"]
    strangest = max(customers, key=lambda row: row.score)
    assert strangest.funnel_id == "c03"
    assert [row.funnel_id for row in customers if row.is_alert] == ["c03"]
    assert "4 products, 4 never bought before (Food 11, Food 13, Food 15, ...)" in strangest.reason


def test_sales_on_or_after_the_business_date_change_nothing(spark: SparkSession, scored: list[Any]) -> None:
    later = [
        basket(customer_id="c05", sold_on=BUSINESS_DATE + timedelta(days=ahead), products=[("p15", 90.0, 100)])
        for ahead in range(3)
    ]
    tomorrow = prediction(funnel_id="c03", business_date=BUSINESS_DATE, last_sold_on=BUSINESS_DATE - timedelta(days=4))
    assert detect(spark, shop() + later, [tomorrow]) == scored


def test_order_of_rows_changes_nothing(spark: SparkSession, scored: list[Any]) -> None:
    assert detect(spark, shop()[::-1]) == scored


def test_a_basket_that_an_earlier_night_predicted_is_less_strange(spark: SparkSession, scored: list[Any]) -> None:
    lines = [{"product_id": f"p{number}", "probability": 0.9, "quantity": 1.0} for number in (9, 11, 13, 15)]
    foreseen = prediction(
        funnel_id="c03",
        products=lines,
        business_date=BUSINESS_DATE - timedelta(days=8),
        last_sold_on=BUSINESS_DATE - timedelta(days=12),
    )
    before = next(row for row in scored if row.funnel_id == "c03")
    after = next(row for row in detect(spark, shop(), [foreseen]) if row.funnel_id == "c03")
    assert after.distance < before.distance


def test_few_baskets_are_no_pattern(spark: SparkSession) -> None:
    newcomer = [
        basket(customer_id="new", sold_on=BUSINESS_DATE - timedelta(days=back), products=[("p1", 1.0, 100)])
        for back in (2, 9, 16)
    ]
    assert "new" not in {row.funnel_id for row in detect(spark, shop() + newcomer)}


def test_the_operator_sets_the_rate(spark: SparkSession) -> None:
    alerts = [row for row in detect(spark, shop(), alerts_per_thousand=100.0) if row.is_alert]
    assert len([row for row in alerts if row.funnel_kind == "customer"]) == CUSTOMERS // 10


def test_the_night_publishes_once(spark: SparkSession, workspace: Workspace, settings: Settings) -> None:
    publish(workspace, "baskets", frame(spark, "baskets", shop()))
    publish(workspace, "products", frame(spark, "products", PRODUCTS))
    earlier = [prediction(business_date=BUSINESS_DATE - timedelta(days=3))]
    day = BUSINESS_DATE - timedelta(days=3)
    publish(workspace, "predictions", frame(spark, "predictions", earlier), version="run0", business_date=day)
    main(ARGUMENTS)
    manifest = workspace.lake.manifest("anomalies", "run1")
    main(ARGUMENTS)
    assert workspace.lake.manifest("anomalies", "run1") == manifest
    assert manifest.inputs["predictions"] == "run0"
    assert manifest.rows == CUSTOMERS + 1


@pytest.mark.parametrize("days", [6, 12])
def test_nobody_is_overdue_because_the_store_was_shut(spark: SparkSession, scored: list[Any], days: int) -> None:
    earlier = [row | {"sold_on": row["sold_on"] - timedelta(days=days)} for row in shop()]
    found = detect(spark, earlier)
    assert [row.funnel_id for row in found if row.is_alert] == [row.funnel_id for row in scored if row.is_alert]
    assert not [row for row in found if row.is_alert and "overdue" in row.reason]
