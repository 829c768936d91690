"""Past mornings get the supplies that their own nights would have had, and their alerts are counted."""

from datetime import timedelta
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from pipeline.settings import DemandSettings
from pipeline.sources.source import load_source
from pipeline.workspace import Workspace
from spark_jobs.ingest_stock import stock_and_resupplies
from spark_jobs.past_supplies import PAIR, PastSupplies, past_supplies
from spark_jobs.session import arg_parser, open_job
from spark_jobs.stockout_backtests import backtest_stockouts, details
from tests.backtest_factories import demand_backtest
from tests.factories import BUSINESS_DATE, transaction
from tests.published_tables import frame, publish

WEEK_AGO, FORTNIGHT_AGO = (BUSINESS_DATE - timedelta(days=back) for back in (7, 14))


def supplies(spark: SparkSession, source: str = "shop") -> PastSupplies | None:
    words = ["--source", source, "--business-date", BUSINESS_DATE.isoformat(), "--run-id", "run1"]
    with open_job("detect_stockouts", arg_parser("").parse_args(words)) as job:
        return past_supplies(spark, job)


def rows(table: DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    return sorted(tuple(row) for row in table.select(*PAIR, "as_of", *columns).collect())


def test_counted_stock_and_deliveries_of_past_mornings(spark: SparkSession, workspace: Workspace) -> None:
    stock = "store_id,product_id,on_hand\ns1,p1,{units}\ns1,p2,unknown\n"
    (workspace.raw / "stock").mkdir(parents=True)
    for units, as_of in ((5, WEEK_AGO), (-3, FORTNIGHT_AGO)):
        (workspace.raw / f"stock/stock_{as_of}.csv").write_text(stock.format(units=units))
    arrivals = [
        f"s1,p1,{WEEK_AGO + timedelta(days=ahead)},{units}" for ahead, units in ((-1, 9), (2, 3), (2, 1), (7, 4))
    ]
    (workspace.raw / "resupplies.csv").write_text("store_id,product_id,arrives_on,units\n" + "\n".join(arrivals) + "\n")
    found = supplies(spark)
    assert found is not None
    assert rows(found.stock, "on_hand", "measured") == [
        ("s1", "p1", FORTNIGHT_AGO, 0.0, True),
        ("s1", "p1", WEEK_AGO, 5.0, True),
    ]
    in_two_days, before = WEEK_AGO + timedelta(days=2), WEEK_AGO - timedelta(days=1)
    assert ("s1", "p1", WEEK_AGO, in_two_days, 4.0) in rows(found.arriving, "demand_on", "arriving")
    assert ("s1", "p1", FORTNIGHT_AGO, before, 9.0) in rows(found.arriving, "demand_on", "arriving")
    assert len(rows(found.arriving)) == 2  # what a night two weeks back saw of one week later lies beyond its horizon
    assert found.missing == [BUSINESS_DATE - timedelta(days=back) for back in (28, 21)]


def test_a_derived_past_is_what_each_night_would_have_derived(spark: SparkSession, workspace: Workspace) -> None:
    tafeng = load_source("tafeng")
    its = Workspace(workspace.root.parent / tafeng.name)
    sold = [
        transaction(sold_on=BUSINESS_DATE - timedelta(days=ago), product_id=f"p{ago % 3}", quantity=1.0 + ago % 5)
        for ago in range(1, 26)
    ]
    publish(its, "transactions", frame(spark, "transactions", sold))
    found = supplies(spark, "tafeng")
    assert found is not None
    assert found.missing == [BUSINESS_DATE - timedelta(days=28)]
    words = ["--source", "tafeng", "--business-date", WEEK_AGO.isoformat(), "--run-id", "run1"]
    with open_job("ingest_stock", arg_parser("").parse_args(words)) as job:
        stock, arriving, _ = stock_and_resupplies(spark, tafeng, its, job.run, DemandSettings())
    assert [row[:4] for row in rows(found.stock, "on_hand") if row[2] == WEEK_AGO] == rows(stock, "on_hand")
    assert [row for row in rows(found.arriving, "demand_on", "arriving") if row[2] == WEEK_AGO] == rows(
        arriving, "arrives_on", "units"
    )
    assert not [row for row in rows(found.stock, "measured") if row[3]]


def test_without_any_supply_there_is_no_back_test(spark: SparkSession, workspace: Workspace) -> None:
    (workspace.raw).mkdir(parents=True, exist_ok=True)
    assert supplies(spark) is None


def test_alerts_of_past_mornings_are_counted_by_store_and_probability(spark: SparkSession) -> None:
    days = [
        demand_backtest(product_id=product, as_of=as_of, demand_on=as_of + timedelta(days=ahead), units=units)
        | {"cumulative_variance": 4.0 * (ahead + 1)}
        for as_of in (FORTNIGHT_AGO, WEEK_AGO)
        for product, units in (("p1", 4.0), ("p2", 0.0))
        for ahead in range(7)
    ]
    shelf = "store_id string, product_id string, as_of date, on_hand double, measured boolean"
    stock = [("s1", product, as_of, 10.0, True) for as_of in (FORTNIGHT_AGO, WEEK_AGO) for product in ("p1", "p2")]
    nothing = "store_id string, product_id string, as_of date, demand_on date, arriving double"
    given = PastSupplies(spark.createDataFrame(stock, shelf), spark.createDataFrame([], nothing), [])
    found = backtest_stockouts(frame(spark, "demand_backtests", days), given, DemandSettings()).persist()
    assert {(row.as_of, row.judged, row.alerts, row.right_alerts, row.days_ahead) for row in found.collect()} == {
        (FORTNIGHT_AGO, 2, 2, 1, 2),
        (WEEK_AGO, 2, 2, 1, 2),
    }
    assert details(found, [BUSINESS_DATE]) == {
        "mornings_backtested": 2,
        "mornings_without_stock": BUSINESS_DATE.isoformat(),
        "backtested_precision": pytest.approx(0.5),
        "backtested_recall": 1.0,
        "backtested_days_ahead": 2.0,
    }
