from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession
from scipy.stats import poisson

from models.stockouts.calibration import Calibration
from pipeline.settings import DemandSettings, Settings
from pipeline.workspace import Workspace
from spark_jobs.detect_stockouts import detect_stockouts, main
from tests.backtest_factories import alert_backtest
from tests.factories import BUSINESS_DATE, expected_demand, expected_return, product, resupply, stock_level
from tests.published_tables import frame, publish

ARGUMENTS = ["--source", "shop", "--business-date", BUSINESS_DATE.isoformat(), "--run-id", "run1"]


def demand(mean: float = 4.0, **fields: Any) -> list[dict[str, Any]]:
    """The same demand on each of seven days."""
    return [
        expected_demand(
            demand_on=BUSINESS_DATE + timedelta(days=ahead),
            mean=mean,
            cumulative_variance=mean * (ahead + 1),
            n_customers=ahead % 2,
            **fields,
        )
        for ahead in range(7)
    ]


def tables(spark: SparkSession, **rows: list[dict[str, Any]]) -> dict[str, DataFrame]:
    """The job's inputs: ten on hand, five arriving today, 28 asked for in seven days."""
    given: dict[str, list[dict[str, Any]]] = {
        "expected_demand": demand(),
        "stock_levels": [stock_level()],
        "resupplies": [resupply()],
        "products": [product()],
    }
    return {name: frame(spark, name, given_rows) for name, given_rows in (given | rows).items()}


def detect(spark: SparkSession, settings: DemandSettings | None = None, **rows: list[dict[str, Any]]) -> list[Any]:
    found = detect_stockouts(
        **tables(spark, **rows), business_date=BUSINESS_DATE, settings=settings or DemandSettings()
    )
    return sorted(found.collect(), key=lambda row: (row.store_id, row.product_id))


def test_a_shelf_that_runs_out_alerts_with_its_numbers(spark: SparkSession) -> None:
    (alert,) = detect(spark)
    assert (alert.on_hand, alert.resupply, alert.demand) == (10.0, 5.0, 28.0)
    assert alert.residual == pytest.approx([11, 7, 3, -1, -5, -9, -13])
    assert alert.days_of_cover == pytest.approx(3.75)
    assert alert.short_on == BUSINESS_DATE + timedelta(days=3)
    assert alert.units_short == pytest.approx(13.0, rel=0.02)
    assert alert.value_at_risk_cents == pytest.approx(alert.units_short * 100, abs=1)
    assert alert.n_customers == 3
    assert alert.reason.startswith("10 on hand and 5 arriving by Sun 1 Mar against 16 expected")


def test_an_alert_says_when_goods_arrive_and_how_sure_its_demand_is(spark: SparkSession) -> None:
    late = resupply(arrives_on=BUSINESS_DATE + timedelta(days=5), units=2.0)
    (alert,) = detect(spark, resupplies=[late])
    assert alert.resupply_on == late["arrives_on"]
    assert (alert.demand_p10, alert.demand_p90) == (poisson.ppf(0.1, 28.0), poisson.ppf(0.9, 28.0))
    (alert,) = detect(spark, resupplies=[])
    assert (alert.resupply, alert.resupply_on) == (0.0, None)


def test_units_expected_back_are_supply_of_their_day_and_no_delivery(spark: SparkSession) -> None:
    back = [expected_return(returns_on=BUSINESS_DATE + timedelta(days=day), expected_units=2.0) for day in (2, 9)]
    found = detect_stockouts(
        **tables(spark),
        business_date=BUSINESS_DATE,
        settings=DemandSettings(),
        expected_returns=frame(spark, "expected_returns", back),
    )
    (alert,) = found.collect()
    assert alert.residual == pytest.approx([11, 7, 5, 1, -3, -7, -11]), "the one after the horizon does not count"
    assert (alert.resupply, alert.resupply_on) == (5.0, BUSINESS_DATE)


def test_a_full_shelf_does_not_alert(spark: SparkSession) -> None:
    assert detect(spark, stock_levels=[stock_level(on_hand=100.0)]) == []


def test_a_product_without_a_stock_level_has_no_alert(spark: SparkSession) -> None:
    unknown = demand(product_id="p2") + demand(store_id="s2")
    assert [(alert.store_id, alert.product_id) for alert in detect(spark, expected_demand=demand() + unknown)] == [
        ("s1", "p1")
    ]


def test_deliveries_after_the_horizon_do_not_help(spark: SparkSession) -> None:
    late = resupply(arrives_on=BUSINESS_DATE + timedelta(days=7), units=500.0)
    assert detect(spark, resupplies=[resupply(), late]) == detect(spark)


def test_stores_are_compared_separately(spark: SparkSession) -> None:
    two = {
        "expected_demand": demand() + demand(store_id="s2"),
        "stock_levels": [stock_level(), stock_level(store_id="s2", on_hand=500.0)],
    }
    assert detect(spark, **two) == detect(spark)


def test_order_of_rows_changes_nothing(spark: SparkSession) -> None:
    many = [row for number in range(5) for row in demand(1.0 + number, product_id=f"p{number}")]
    stock = [stock_level(product_id=f"p{number}", on_hand=4.0) for number in range(5)]
    straight = detect(spark, expected_demand=many, stock_levels=stock)
    assert len(straight) == 5
    assert detect(spark, expected_demand=many[::-1], stock_levels=stock[::-1]) == straight


def test_the_per_day_rule_ignores_the_opening_stock(spark: SparkSession) -> None:
    (alert,) = detect(spark, DemandSettings(residual="per_day"), stock_levels=[stock_level(on_hand=500.0)])
    assert alert.residual == pytest.approx([1, -4, -4, -4, -4, -4, -4])
    assert alert.short_on == BUSINESS_DATE + timedelta(days=1)


def test_a_product_without_a_price_has_no_value_at_risk(spark: SparkSession) -> None:
    (alert,) = detect(spark, products=[])
    assert alert.value_at_risk_cents == 0


def test_the_night_publishes_once_even_without_alerts(
    spark: SparkSession, workspace: Workspace, settings: Settings
) -> None:
    for name, rows in tables(spark, stock_levels=[stock_level(on_hand=100.0)]).items():
        publish(workspace, name, rows)
    publish(workspace, "demand_backtests", frame(spark, "demand_backtests", []))
    main(ARGUMENTS)
    main(ARGUMENTS)
    assert workspace.lake.current("stockouts") == "run1"
    assert workspace.lake.manifest("stockouts", "run1").rows == 0
    assert workspace.lake.manifest("alert_backtests", "run1").rows == 0


def test_a_probability_is_what_such_probabilities_came_to(spark: SparkSession) -> None:
    given = tables(spark, stock_levels=[stock_level(on_hand=22.0)])
    learned = [alert_backtest(store_id="s1", bin=number, intercept=-1.0, slope=0.8) for number in (2, 6)]
    learned.append(alert_backtest(store_id="s2", intercept=3.0, slope=1.0))

    def alerts(backtests: DataFrame | None) -> list[Any]:
        return detect_stockouts(
            **given,
            business_date=BUSINESS_DATE,
            settings=DemandSettings(min_probability=0.01),
            alert_backtests=backtests,
        ).collect()

    (as_stated,), (calibrated,) = alerts(None), alerts(frame(spark, "alert_backtests", learned))
    assert calibrated.probability == pytest.approx(Calibration(-1.0, 0.8).apply(np.array([as_stated.probability]))[0])
