from collections.abc import Sequence
from datetime import date, timedelta
from functools import reduce
from typing import Any

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pipeline.expectations.audit import AuditFailed
from pipeline.settings import DemandSettings, Settings
from pipeline.stages import read_stages
from pipeline.workspace import Workspace
from spark_jobs.demand_bounds import check_bounds
from spark_jobs.forecast_demand import forecast_demand, main
from spark_jobs.model_sums import LEARNED_BEFORE
from tests.factories import BUSINESS_DATE, basket, expected_demand, prediction, product, stock_level, transaction
from tests.published_tables import frame, publish

ARGUMENTS = ["--source", "shop", "--business-date", BUSINESS_DATE.isoformat(), "--run-id", "run1"]


def sales(units: float = 5.0, days: int = 30, **fields: Any) -> list[dict[str, Any]]:
    """The same units of p1 and of p2 on every day before the business date."""
    return [
        transaction(sold_on=BUSINESS_DATE - timedelta(days=back), product_id=name, quantity=units, **fields)
        for back in range(1, days + 1)
        for name in ("p1", "p2")
    ]


def tables(spark: SparkSession, **rows: list[dict[str, Any]]) -> dict[str, DataFrame]:
    """The job's inputs, each with sensible rows."""
    given: dict[str, list[dict[str, Any]]] = {
        "transactions": sales(),
        "baskets": [basket()],
        "predictions": [prediction()],
        "products": [product(), product(product_id="p2")],
        "stock_levels": [stock_level()],
    }
    return {name: frame(spark, name, given_rows) for name, given_rows in (given | rows).items()}


def forecast(
    spark: SparkSession,
    settings: DemandSettings | None = None,
    **rows: list[dict[str, Any]],
) -> list[Any]:
    """Sorted rows; by default with both routes."""
    settings = settings or DemandSettings(customer_weight=0.25)
    found = forecast_demand(**tables(spark, **rows), business_date=BUSINESS_DATE, settings=settings).expected_demand
    return sorted(found.collect(), key=lambda row: (row.store_id, row.product_id, row.demand_on))


def test_every_product_has_every_day_of_the_horizon_the_business_date_first(spark: SparkSession) -> None:
    found = forecast(spark, DemandSettings(horizon_days=3))
    days = [BUSINESS_DATE + timedelta(days=ahead) for ahead in range(3)]
    assert [(row.product_id, row.demand_on) for row in found] == [(name, day) for name in ("p1", "p2") for day in days]


def test_even_sales_are_expected_to_go_on(spark: SparkSession) -> None:
    for row in forecast(spark, predictions=[]):
        assert row.mean == pytest.approx(5.0, rel=0.1)
        assert row.p10 <= row.p50 <= row.p90
        assert row.cumulative_variance >= row.variance * 0.999
        assert (row.from_customers, row.n_customers) == (0.0, 0)


def test_sales_on_or_after_the_business_date_change_nothing(spark: SparkSession) -> None:
    later = [
        transaction(sold_on=BUSINESS_DATE + timedelta(days=ahead), product_id=name, quantity=500.0)
        for ahead in (0, 1, 5)
        for name in ("p1", "p9")
    ]
    future = [basket(sold_on=BUSINESS_DATE + timedelta(days=ahead)) for ahead in range(3)]
    assert forecast(spark, transactions=sales() + later, baskets=[basket(), *future]) == forecast(spark)


def test_order_of_rows_changes_nothing(spark: SparkSession) -> None:
    predicted = [prediction(funnel_id=f"c{number}", gap_days=3.0 + number) for number in range(6)]
    straight = forecast(spark, transactions=sales(1.1), predictions=predicted)
    assert forecast(spark, transactions=sales(1.1)[::-1], predictions=predicted[::-1]) == straight


def test_returns_are_no_negative_demand(spark: SparkSession) -> None:
    back = [transaction(sold_on=BUSINESS_DATE - timedelta(days=1), quantity=40.0, is_return=True)]
    assert forecast(spark, transactions=sales() + back) == forecast(spark)


def test_by_default_predicted_baskets_change_nothing_and_are_counted(spark: SparkSession) -> None:
    without, with_baskets = (forecast(spark, DemandSettings(), **rows) for rows in ({"predictions": []}, {}))
    assert [row.mean for row in with_baskets] == [row.mean for row in without]
    assert sum(row.n_customers for row in with_baskets) > sum(row.n_customers for row in without) == 0


def test_predicted_baskets_move_demand_towards_their_products(spark: SparkSession) -> None:
    without, with_baskets = forecast(spark, predictions=[]), forecast(spark)
    assert sum(row.from_customers for row in with_baskets if row.product_id == "p1") > 0
    assert sum(row.mean for row in with_baskets) == pytest.approx(sum(row.mean for row in without), rel=1e-6)
    assert all(row.from_customers <= row.mean for row in with_baskets)


def test_a_customer_counts_on_the_predicted_day(spark: SparkSession) -> None:
    second = BUSINESS_DATE + timedelta(days=1)
    found = forecast(spark, predictions=[prediction(funnel_id="c1"), prediction(funnel_id="c2", next_sold_on=second)])
    assert [row.n_customers for row in found if row.product_id == "p1"] == [1, 1, 0, 0, 0, 0, 0]


def test_the_paper_s_decoding_expects_baskets_on_their_day_only(spark: SparkSession) -> None:
    found = forecast(spark, DemandSettings(decoding="predicted_day", customer_weight=0.25))
    assert [row.from_customers > 0 for row in found if row.product_id == "p1"] == [True] + [False] * 6


def routed(spark: SparkSession, **settings: Any) -> list[Any]:
    """Sorted rows by the model's route, whose customers buy three times as much of p1 as of p2, and half of each."""
    rows = [
        {
            "store_id": "s1",
            "product_id": name,
            "demand_on": BUSINESS_DATE + timedelta(days=ahead),
            "units": units,
            "other_share": 0.5,
        }
        for ahead in range(7)
        for name, units in (("p1", 9.0), ("p2", 3.0), ("never-sold", 7.0))
    ]
    chosen = DemandSettings(**{"route": "model"} | settings)
    by_model = frame(spark, "customer_demand", rows).withColumn("weeks_ago", F.lit(0))
    found = forecast_demand(
        **tables(spark), business_date=BUSINESS_DATE, settings=chosen, customer_demand=by_model
    ).expected_demand
    return sorted(found.collect(), key=lambda row: (row.store_id, row.product_id, row.demand_on))


def test_the_model_s_route_takes_its_weight_of_what_customers_and_others_buy(spark: SparkSession) -> None:
    store, half = forecast(spark, DemandSettings()), routed(spark, model_weights=(0.5, 0.0, 0.0))
    assert [(row.product_id, row.demand_on) for row in half] == [(row.product_id, row.demand_on) for row in store]
    for day in range(7):
        (p1, p2), (alone1, alone2) = ((rows[day], rows[day + 7]) for rows in (half, store))
        customers = 0.5 * (alone1.mean + alone2.mean)
        assert p1.from_customers == pytest.approx(0.5 * 0.75 * customers)
        assert p2.from_customers == pytest.approx(0.5 * 0.25 * customers)
        assert p1.mean == pytest.approx(0.75 * alone1.mean + p1.from_customers)
        assert p1.mean + p2.mean == pytest.approx(alone1.mean + alone2.mean)
        assert p1.n_customers == alone1.n_customers


def test_the_model_s_route_without_weight_is_the_store_s(spark: SparkSession) -> None:
    assert routed(spark, model_weights=(0.0, 0.0, 0.0)) == forecast(spark, DemandSettings())


def test_the_paper_s_route_is_units_of_predicted_baskets_on_their_days_and_nothing_else(spark: SparkSession) -> None:
    second = BUSINESS_DATE + timedelta(days=1)
    days = {"c1": BUSINESS_DATE, "c2": BUSINESS_DATE, "c3": second}
    predicted = [prediction(funnel_id=name, next_sold_on=day) for name, day in days.items()]
    found = forecast(spark, DemandSettings(route="paper"), predictions=predicted)
    assert [row.mean for row in found if row.product_id == "p1"] == [4.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    assert not any(row.mean for row in found if row.product_id == "p2")
    assert all(row.mean == row.from_customers for row in found)


WEEK = 7


def trading(random: np.random.Generator) -> np.ndarray:
    """Units of 40 products on 70 days, the last of which is the day before the business date; each week at a level."""
    levels = random.choice([2.0, 10.0], size=(40, 10))
    return random.poisson(np.repeat(levels, WEEK, axis=1)).astype(float) + 1.0


def sums(units: np.ndarray, first: date) -> list[dict[str, Any]]:
    """A model that knows each product's units of the week; nobody else buys."""
    return [
        {
            "store_id": "s1",
            "product_id": f"p{number:02d}",
            "demand_on": first + timedelta(days=ahead),
            "units": float(units[number, ahead]),
            "other_share": 0.0,
        }
        for number in range(len(units))
        for ahead in range(WEEK)
    ]


def weighed(spark: SparkSession, weeks: Sequence[int], *, horizon_days: int = 7) -> set[float]:
    """Weights of tonight's products where those mornings' sums are known, in weeks ago, and right."""
    units = trading(np.random.default_rng(0))
    sold = [
        transaction(
            sold_on=BUSINESS_DATE - timedelta(days=70 - day),
            product_id=f"p{number:02d}",
            quantity=float(units[number, day]),
        )
        for number in range(len(units))
        for day in range(units.shape[1])
    ]
    by_morning = [
        frame(
            spark,
            "customer_demand",
            sums(units[:, 70 - WEEK * ago :][:, :WEEK], BUSINESS_DATE - timedelta(days=WEEK * ago)),
        ).withColumn("weeks_ago", F.lit(ago))
        for ago in weeks
    ]
    tonight = frame(spark, "customer_demand", sums(units[:, :WEEK], BUSINESS_DATE)).withColumn("weeks_ago", F.lit(0))
    products = [product(product_id=f"p{number:02d}") for number in range(len(units))]
    found = forecast_demand(
        **tables(spark, transactions=sold, products=products),
        business_date=BUSINESS_DATE,
        settings=DemandSettings(route="model", horizon_days=horizon_days),
        customer_demand=reduce(DataFrame.unionByName, [tonight, *by_morning]),
    ).expected_demand
    rows = found.filter("product_id != 'p1'").collect()
    assert len(rows) == 40 * horizon_days
    assert all((row.from_customers > 0) == (row.model_weight > 0) for row in rows)
    return {row.model_weight for row in rows}


def test_the_model_has_the_weight_that_it_earned_in_the_last_four_weeks(spark: SparkSession) -> None:
    assert weighed(spark, [1, 2, 3, 4]) == {1.0}


def test_a_longer_or_shorter_horizon_is_weighed_by_weeks(spark: SparkSession) -> None:
    assert weighed(spark, [1, 2, 3, 4], horizon_days=3) == {1.0}


def test_without_all_mornings_of_four_weeks_the_model_has_no_weight(spark: SparkSession) -> None:
    assert weighed(spark, [1, 2, 4]) == {0.0}


def test_sums_of_past_mornings_are_found_by_their_business_date(
    spark: SparkSession, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LARDER_DEMAND__ROUTE", "model")
    nothing = frame(spark, "customer_demand", [])
    for version, ago, unseen_from in (("a", 4, 28), ("b", 3, 35), ("bad", 2, 13), ("run1", 0, 14)):
        morning = BUSINESS_DATE - timedelta(days=WEEK * ago)
        details = {LEARNED_BEFORE: str(BUSINESS_DATE - timedelta(days=unseen_from))}
        publish(workspace, "customer_demand", nothing, version, morning, details=details)
    for name, rows in tables(spark).items():
        publish(workspace, name, rows)
    main(ARGUMENTS)
    lake = workspace.lake
    assert lake.manifest("expected_demand", "run1").inputs["customer_demand"] == "run1,b,a"
    details = read_stages(workspace.run_folder("run1"))[-1].details
    assert details["products_with_model_weight"] == 0
    assert details["model_has_no_weight"] == (
        "no sums of 2026-02-22; bad: its model may have learned from days after 2026-02-15"
    )


def test_sums_of_another_morning_are_refused(
    spark: SparkSession, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LARDER_DEMAND__ROUTE", "model")
    for name, rows in (tables(spark) | {"customer_demand": frame(spark, "customer_demand", [])}).items():
        publish(workspace, name, rows, business_date=BUSINESS_DATE - timedelta(days=name == "customer_demand"))
    with pytest.raises(SystemExit, match="customer_demand run1 is of 2026-02-28, not of 2026-03-01"):
        main(ARGUMENTS)


def test_a_product_predicted_in_a_store_that_never_sold_it_is_no_error(spark: SparkSession) -> None:
    found = forecast(spark, predictions=[prediction(store_id="s9")])
    assert {row.store_id for row in found} == {"s1", "s9"}


def test_an_absurd_forecast_is_refused_and_says_which(spark: SparkSession) -> None:
    rows = [
        expected_demand(product_id=f"p{number}", demand_on=BUSINESS_DATE + timedelta(days=ahead), mean=90.0 + number)
        | {"largest_week": 20.0}
        for number in range(8)
        for ahead in range(7)
    ]
    demand, named = frame(spark, "expected_demand", rows), frame(spark, "products", [product()])
    with pytest.raises(AuditFailed, match=r"8 of 8 products .*\(p7 in s1: 679 a week, at most 20 before"):
        check_bounds(demand, named, DemandSettings())
    details = check_bounds(demand, named, DemandSettings(max_share_out_of_bounds=1.0))
    assert details["products_out_of_bounds"] == 8


def test_the_night_publishes_once(spark: SparkSession, workspace: Workspace, settings: Settings) -> None:
    for name, rows in tables(spark).items():
        publish(workspace, name, rows)
    main(ARGUMENTS)
    manifest = workspace.lake.manifest("expected_demand", "run1")
    main(ARGUMENTS)
    assert workspace.lake.current("expected_demand") == "run1"
    assert workspace.lake.manifest("expected_demand", "run1") == manifest
    assert manifest.rows == 2 * settings.demand.horizon_days
    assert manifest.business_date == date(2026, 3, 1)
