"""The training job on a tiny shop."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from models.catalog import ARCHITECTURES
from models.lens import Lens
from pipeline.evaluation.scorecard import Scorecard
from pipeline.settings import Settings
from pipeline.stages import read_stages
from pipeline.tasks.catalog import NEXT_BASKET
from pipeline.tracking.registry import Champion, Registry
from pipeline.workspace import Run, Workspace
from spark_jobs import train_model
from tests.factories import BUSINESS_DATE, sequence, vocabulary_entry
from tests.published_tables import frame, publish

N_PRODUCTS = 30


def weekly_shoppers(n_customers: int) -> Iterator[dict[str, Any]]:
    """Customers who buy the same three products every week."""
    for number in range(n_customers):
        products = sorted({3 + (number * step) % N_PRODUCTS for step in (1, 2, 3)})
        days = [BUSINESS_DATE - timedelta(days=7 * week + 1 + number % 7) for week in reversed(range(8))]
        yield sequence(funnel_id=f"c{number}", sold_on=days, products=[products for _ in days])


@pytest.fixture
def shop(spark: SparkSession, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A published tiny shop, and settings for a training of seconds; several workers: tests/pipeline/training."""
    small = {"WORKERS": "1", "EPOCHS": "1", "BATCH_SIZE": "64", "MAX_BASKETS": "6", "HOLDOUT_DAYS": "7"}
    for name, value in (small | {"ARCHITECTURE": "lens_mean"}).items():
        monkeypatch.setenv(f"LARDER_TRAINING__{name}", value)
    products = [vocabulary_entry(product_index=3 + place, product_id=f"p{place}") for place in range(N_PRODUCTS)]
    publish(workspace, "vocabulary", frame(spark, "vocabulary", products))
    publish(workspace, "sequences", frame(spark, "sequences", weekly_shoppers(120)))
    return workspace


def test_a_night_measures_and_registers_once(shop: Workspace) -> None:
    arguments = ["--source", "shop", "--business-date", BUSINESS_DATE.isoformat(), "--run-id", "run1"]
    train_model.main(arguments)
    train_model.main(arguments)

    card = Scorecard.read(shop.task_folder("run1", "next_basket"))
    assert set(card.models) == {"candidate", "global_top", "personal_top", "personal_then_global", "kaplan_meier"}
    # Every gap is a week, so that the days waited say when the next basket comes (but for what the last open gaps add).
    assert card.models["kaplan_meier"] == {
        "days_brier": pytest.approx(0.0, abs=0.001),
        "days_concordance": pytest.approx(1.0),
    }
    assert 0.0 < card.models["candidate"]["days_brier"] < 1.0
    # Who buys the same every week is predicted by the own list, so the protocol and the metrics must agree on it.
    assert card.models["personal_top"]["recall@5"] == pytest.approx(1.0)
    assert card.customers == 120
    assert card.window.last_day == BUSINESS_DATE - timedelta(days=1)
    settings = Settings()
    registry = Registry(settings, "shop", NEXT_BASKET)
    assert [entry["number"] for entry in registry.versions()] == ["1"]
    assert registry.fetch("1").vocabulary_hash == "v1"
    left = {path.name for path in (shop.task_folder("run1", "next_basket") / train_model.TRAINING_FOLDER).iterdir()}
    assert left == {"spec.json", "history.json", "worker-0.log"}
    assert [stage.status for stage in read_stages(shop.run_folder("run1"))] == ["running", "done"] * 2


def stored(folder: Path, **changed: Any) -> Path:
    """A model of the architecture that nights of these tests train, or with other parts under its name."""
    config = asdict(replace(ARCHITECTURES["lens_mean"], seed=7, **changed))
    folder.mkdir()
    Lens(config, n_products=9, n_customers=3).save(folder / "model.keras")
    return folder / "model.keras"


def test_training_starts_from_a_champion_of_the_same_shape_that_has_not_seen_the_window(
    spark: SparkSession, shop: Workspace, tmp_path: Path
) -> None:
    of_today, of_before = stored(tmp_path / "1"), stored(tmp_path / "2", rhythm_units=0)

    def initial_model(
        architecture: str, trained_for: date, *, must_retrain: bool = False, model: Path = of_today
    ) -> Path | None:
        return train_model.specify(
            spark,
            shop,
            Run("shop", BUSINESS_DATE, "run1"),
            task=NEXT_BASKET,
            settings=Settings(),
            versions={"sequences": "run1", "vocabulary": "run1"},
            incumbent=Champion(
                "larder-shop-next_basket",
                "1",
                architecture,
                "v1",
                trained_for,
                "run0",
                model.parent,
                model,
                must_retrain=must_retrain,
            ),
        ).initial_model

    a_day, trained_now = timedelta(days=1), Settings().training.architecture
    assert initial_model(trained_now, BUSINESS_DATE - a_day)
    assert initial_model(trained_now, BUSINESS_DATE)
    assert initial_model(trained_now, BUSINESS_DATE + a_day) is None
    assert initial_model("lens2000", BUSINESS_DATE - a_day) is None
    assert initial_model(trained_now, BUSINESS_DATE - a_day, must_retrain=True) is None
    # A version of Larder that built the same name from other parts left a champion: the night trains from new weights.
    assert initial_model(trained_now, BUSINESS_DATE - a_day, model=of_before) is None
