"""Predicted baskets through nights of the real job: back-tested before their gate, from the first night on."""

from datetime import date, timedelta
from typing import Any

import pytest
from pyspark.sql import Row, SparkSession

from pipeline.erasure.erase import of_customer
from pipeline.settings import Settings
from pipeline.stages import read_stages
from pipeline.tables.basket_backtests import BASKET_BACKTESTS
from pipeline.tables.customer_demand import CUSTOMER_DEMAND
from pipeline.task import ServedModel
from pipeline.tasks.catalog import NEXT_BASKET
from pipeline.tracking.registry import Registry
from pipeline.workspace import Workspace
from spark_jobs import predict_baskets, validate_table
from spark_jobs.basket_backtests import find_past
from tests.factories import BUSINESS_DATE, basket, prediction, sequence, vocabulary_entry
from tests.pipeline.tracking.nights import publish_vocabulary, register_night, tiny_model
from tests.published_tables import frame, publish, publish_rows

DAY = timedelta(days=1)
LATER = BUSINESS_DATE + 2 * DAY


def arguments(run_id: str, night: date = BUSINESS_DATE) -> list[str]:
    return ["--source", "shop", "--business-date", str(night), "--run-id", run_id]


def publish_sales(spark: SparkSession, workspace: Workspace, run_id: str, night: date, *more: date) -> None:
    """Three customers who came weekly, the first of them on further days, too."""
    before = [BUSINESS_DATE - back * DAY for back in (30, 21, 16, 12)]
    visits = {name: before + list(more if name == "c0" else ()) for name in ("c0", "c1", "c2")}
    tables: dict[str, list[dict[str, Any]]] = {
        "sequences": [sequence(funnel_id=name, sold_on=days) for name, days in visits.items()],
        "baskets": [
            basket(customer_id=name, sold_on=day, products=[("p3", 1.0, 100)])
            for name, days in visits.items()
            for day in days
        ],
        "vocabulary": [vocabulary_entry(product_index=index, product_id=f"p{index}") for index in range(3, 8)],
    }
    for name, rows in tables.items():
        publish(workspace, name, frame(spark, name, rows), version=run_id, business_date=night)


def backtests(spark: SparkSession, workspace: Workspace, run_id: str) -> list[Row]:
    assert workspace.lake.is_published(BASKET_BACKTESTS.name, run_id)
    folder = workspace.lake.path(BASKET_BACKTESTS.name, run_id)
    return sorted(spark.read.schema(BASKET_BACKTESTS.ddl).parquet(str(folder)).collect())


def test_the_first_night_has_no_row_and_the_next_one_judges_what_it_published(
    spark: SparkSession, workspace: Workspace
) -> None:
    publish_sales(spark, workspace, "run1", BUSINESS_DATE)
    predict_baskets.main(arguments("run1"))
    assert backtests(spark, workspace, "run1") == []
    validate_table.main([*arguments("run1"), "--table", "predictions"])

    publish_sales(spark, workspace, "run2", LATER, BUSINESS_DATE + DAY)
    predict_baskets.main(arguments("run2", LATER))
    (row,) = backtests(spark, workspace, "run2")
    assert (row.origin, row.as_of, row.predicted, row.came) == ("frequency", BUSINESS_DATE, 3, 1)
    assert workspace.lake.manifest(BASKET_BACKTESTS.name, "run2").inputs["predictions"] == "run1"
    assert read_stages(workspace.run_folder("run2"))[-1].details["backtested_baskets"] == 1

    predict_baskets.main(arguments("run2", LATER))  # as after a kill before the gate
    assert backtests(spark, workspace, "run2") == [row]
    assert workspace.lake.is_staged("predictions", "run2")


def test_the_champion_is_replayed_where_it_did_not_learn(
    spark: SparkSession, settings: Settings, workspace: Workspace
) -> None:
    publish_sales(spark, workspace, "run1", BUSINESS_DATE, BUSINESS_DATE - DAY)
    register_night(settings, workspace, workspace.lake.path("vocabulary", "run1"), "run1", tiny_model())
    Registry(settings, "shop", NEXT_BASKET).make_champion("1")
    predict_baskets.main(arguments("run1"))
    found = backtests(spark, workspace, "run1")
    # It held out fourteen days; all three had come on the twelfth day before.
    assert [(row.origin, (BUSINESS_DATE - row.as_of).days, row.predicted, row.came) for row in found] == [
        ("replay", 14, 3, 3),
        ("replay", 7, 3, 1),
    ]
    publish_sales(spark, workspace, "again", BUSINESS_DATE, BUSINESS_DATE - DAY)
    predict_baskets.main(arguments("again"))
    assert backtests(spark, workspace, "again") == found


def test_the_model_s_sums_say_what_their_model_had_not_learned_from(
    spark: SparkSession, settings: Settings, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LARDER_DEMAND__ROUTE", "model")
    publish_sales(spark, workspace, "run1", BUSINESS_DATE)
    predict_baskets.main(arguments("run1"))
    first = workspace.lake.manifest(CUSTOMER_DEMAND.name, "run1")
    assert (first.rows, first.details) == (0, {})
    vocabulary = workspace.lake.path("vocabulary", "run1")
    register_night(settings, workspace, vocabulary, "run1", tiny_model("lens"), architecture="lens")
    Registry(settings, "shop", NEXT_BASKET).make_champion("1")
    publish_sales(spark, workspace, "run2", LATER)
    predict_baskets.main(arguments("run2", LATER))
    second = workspace.lake.manifest(CUSTOMER_DEMAND.name, "run2")
    assert second.rows > 0
    assert second.inputs["model"] == "larder-shop-next_basket/1"
    assert second.details == {"learned_before": str(BUSINESS_DATE - 14 * DAY)}


def test_what_a_model_of_later_days_predicted_is_left_out(settings: Settings, workspace: Workspace) -> None:
    registry = Registry(settings, "shop", NEXT_BASKET)
    register_night(settings, workspace, publish_vocabulary(workspace), "run1", tiny_model())
    model = "larder-shop-next_basket/1"
    assert registry.learned_before(model) == BUSINESS_DATE - 14 * DAY
    nights = {"backfilled": (15, model), "before": (14, model), "lost": (5, "larder-shop-next_basket/9")}
    nights |= {
        "nobody's": (20, None),
        "too old": (29, None),
        "first": (3, None),
        "again": (3, None),
        "later": (-1, None),
    }
    for version, (ago, by) in nights.items():
        name, day = version.replace(" ", "-").replace("'", ""), BUSINESS_DATE - ago * DAY
        publish_rows(workspace, "predictions", prediction(business_date=day), version=name, business_date=day)
        manifest = workspace.lake.manifest("predictions", name)
        described = manifest.model_copy(update={"inputs": {"model": by} if by else {}})
        path = workspace.lake.path("predictions", name).parent / "manifest.json"
        path.write_text(described.model_dump_json())

    champion = ServedModel(model, "lens1000", workspace.root, {})
    past = find_past(workspace.lake, BUSINESS_DATE, registry, champion)
    assert list(past.versions.values()) == ["nobodys", "before", "again"]
    assert past.replayed == [BUSINESS_DATE - 7 * DAY, BUSINESS_DATE - 14 * DAY]
    assert [note.partition(":")[0] for note in past.notes] == ["backfilled", "lost"]


def test_nothing_in_it_is_a_customers() -> None:
    assert of_customer(BASKET_BACKTESTS, ["c1"]) is None
