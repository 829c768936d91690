"""A task that only tests register goes through the code of the next basket: refused, promoted, predicted, published."""

from datetime import timedelta

import pytest
from pyspark.sql import SparkSession
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.evaluation.scorecard import Scorecard
from pipeline.settings import Settings
from pipeline.tables.catalog import TABLES
from pipeline.tasks.catalog import TASKS
from pipeline.tracking.registry import RETRAIN_TAG, Registry, mark_for_retraining
from pipeline.workspace import Workspace
from spark_jobs import train_model, validate_table
from tests.factories import BUSINESS_DATE, basket
from tests.published_tables import frame, publish
from tests.weekday_task import job
from tests.weekday_task.table import WEEKDAY_UNITS
from tests.weekday_task.task import ERROR, WeekdayMeans, WeekdayWeights

TOYS = (WeekdayMeans(), WeekdayWeights())


@pytest.fixture
def shop(spark: SparkSession, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Ten weeks in which p1 sells on Saturdays alone and p2 every day alike; both toys are registered."""
    for toy in TOYS:
        monkeypatch.setitem(TASKS, toy.name, toy)
    monkeypatch.setitem(TABLES, WEEKDAY_UNITS.name, WEEKDAY_UNITS)
    # One worker: several are in tests/pipeline/training and in the whole night.
    small = {"WORKERS": "1", "EPOCHS": "6", "BATCH_SIZE": "16", "LEARNING_RATE": "0.5", "HOLDOUT_DAYS": "14"}
    for name, value in small.items():
        monkeypatch.setenv(f"LARDER_TRAINING__{name}", value)
    days = [BUSINESS_DATE - timedelta(days=ago) for ago in range(1, 71)]
    rows = [
        basket(sold_on=day, products=[*([("p1", 7.0, 700)] if day.isoweekday() == 6 else []), ("p2", 3.0, 300)])
        for day in days
    ]
    publish(workspace, "baskets", frame(spark, "baskets", rows))
    return workspace


def run(run_id: str) -> list[str]:
    return ["--source", "shop", "--business-date", BUSINESS_DATE.isoformat(), "--run-id", run_id]


def larder(*arguments: str) -> str:
    result = CliRunner().invoke(app, [*arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize("toy", TOYS, ids=lambda toy: str(toy.name))
def test_a_task_trains_is_refused_promoted_predicts_and_is_published(
    toy: WeekdayMeans | WeekdayWeights, shop: Workspace, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    gain = f"LARDER_TASKS__{toy.name.upper()}__PROMOTION__MIN_GAIN_OVER_BASELINE"
    train_model.main([*run("run1"), "--task", toy.name])
    card = Scorecard.read(shop.task_folder("run1", toy.name))
    assert set(card.models) == {"candidate", "flat", "nothing"}
    assert card.models["candidate"][ERROR] < 0.3 < card.models["flat"][ERROR]
    assert card.customers == 28, "two products on fourteen held-out days"

    monkeypatch.setenv(gain, "10")
    refused = larder("model", "promote", *run("run1"), "--task", toy.name)
    assert f"larder-shop-{toy.name}/1 was refused" in refused
    assert "does not fall below" in refused
    job.main(toy.name, run("run1"))
    validate_table.main([*run("run1"), "--table", WEEKDAY_UNITS.name])
    assert predicted(spark, shop)[("p1", 6)] == ("flat", 1.0), "the fallback, while there is no champion"

    monkeypatch.delenv(gain)
    train_model.main([*run("run2"), "--task", toy.name])
    assert larder("model", "promote", *run("run2"), "--task", toy.name) == f"larder-shop-{toy.name}/2 is champion\n"
    job.main(toy.name, run("run2"))
    validate_table.main([*run("run2"), "--table", WEEKDAY_UNITS.name])
    found = predicted(spark, shop)
    assert len(found) == 14
    assert found[("p1", 6)] == (f"larder-shop-{toy.name}/2", pytest.approx(7.0, abs=0.5))
    assert found[("p1", 2)] == (f"larder-shop-{toy.name}/2", pytest.approx(0.0, abs=0.5))
    assert "passed" in larder("model", "list", "--source", "shop", "--task", toy.name)
    assert ERROR in larder("model", "scorecard", "--source", "shop", "--task", toy.name)


class SameFileName(WeekdayMeans):
    """Another task whose model file has the same name."""

    name = "weekday_means_again"


@pytest.mark.usefixtures("shop")
def test_two_tasks_of_one_run_keep_apart_and_an_erasure_marks_both(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    toys = (WeekdayMeans(), SameFileName())
    monkeypatch.setitem(TASKS, SameFileName.name, toys[1])
    for toy in toys:
        train_model.main([*run("run1"), "--task", toy.name])
    registries = [Registry(settings, "shop", toy) for toy in toys]
    kept = [registry.fetch("1") for registry in registries]
    assert [version.model_path.name for version in kept] == ["means.json", "means.json"]
    assert len({version.folder for version in kept}) == 2
    marked = mark_for_retraining(settings, "shop", BUSINESS_DATE - timedelta(days=1), "why")
    assert marked == [f"{registry.name}/1" for registry in registries]
    assert all(registry.versions()[0][RETRAIN_TAG] == "why" for registry in registries)
    assert mark_for_retraining(settings, "another", BUSINESS_DATE - timedelta(days=1), "why") == []


def predicted(spark: SparkSession, shop: Workspace) -> dict[tuple[str, int], tuple[str, float]]:
    """Version and expected units by product and weekday, as readers get them."""
    path = str(shop.lake.path(WEEKDAY_UNITS.name, shop.lake.resolve(WEEKDAY_UNITS.name)))
    rows = spark.read.schema(WEEKDAY_UNITS.ddl).parquet(path).collect()
    return {(row.product_id, row.day_of_week): (row.model_version, row.expected_units) for row in rows}
