"""The registry and the gate against a real MLflow store and a real, tiny model."""

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from models.saved_files import load_model
from pipeline.evaluation.promotion import promote
from pipeline.evaluation.stored_model import non_finite_weights
from pipeline.settings import Settings
from pipeline.tasks.catalog import NEXT_BASKET
from pipeline.tracking.registry import RETRAIN_TAG, Registry, mark_for_retraining
from pipeline.tracking.runs import masked
from pipeline.workspace import Run, Workspace
from tests.factories import BUSINESS_DATE
from tests.pipeline.tracking.nights import N_PRODUCTS, publish_vocabulary, register_night, tiny_model


@pytest.fixture
def vocabulary(workspace: Workspace) -> Path:
    """A published vocabulary."""
    return publish_vocabulary(workspace)


def registry(settings: Settings) -> Registry:
    return Registry(settings, "shop", NEXT_BASKET)


def test_a_champion_serves_until_a_better_candidate_comes_and_a_nan_model_never_replaces_it(
    settings: Settings, workspace: Workspace, vocabulary: Path
) -> None:
    assert registry(settings).champion() is None
    assert register_night(settings, workspace, vocabulary, "run1", tiny_model()) == "1"
    assert register_night(settings, workspace, vocabulary, "run1", tiny_model()) == "1", "a retry registers nothing new"

    first = Run("shop", BUSINESS_DATE, "run1")
    verdict = promote(NEXT_BASKET, settings, workspace, first)
    assert verdict.promoted, verdict.reasons
    assert promote(NEXT_BASKET, settings, workspace, first) == verdict, "promoting again changes nothing"
    served = registry(settings).champion()
    assert served is not None
    assert (served.version, served.vocabulary_hash, served.business_date) == (
        "larder-shop-next_basket/1",
        "v1",
        BUSINESS_DATE,
    )
    assert np.array_equal(load_model(served.model_path).keys.product_keys, tiny_model().keys.product_keys)
    assert list(served.table("vocabulary").glob("*.parquet"))

    broken = tiny_model()
    broken.backbone.products.bias.assign(np.full(N_PRODUCTS, np.nan, np.float32))
    register_night(settings, workspace, vocabulary, "run2", broken)
    refused = promote(NEXT_BASKET, settings, workspace, Run("shop", BUSINESS_DATE, "run2"))
    assert not refused.promoted
    assert "not finite" in refused.reasons[0]
    still = registry(settings).champion()
    assert still is not None
    assert still.version == "larder-shop-next_basket/1"
    assert (
        json.loads((workspace.task_folder("run2", NEXT_BASKET.name) / "promotion.json").read_text())["reasons"]
        == refused.reasons
    )
    newest = registry(settings).versions()[0]
    assert (newest["number"], newest["gate"], newest["champion"]) == ("2", "refused", False)


def test_no_artifact_of_a_version_is_a_pickle(settings: Settings, workspace: Workspace, vocabulary: Path) -> None:
    register_night(settings, workspace, vocabulary, "run1", tiny_model())
    stored = [path for path in Path(settings.data_dir).rglob("*") if path.is_file()]
    assert any(path.suffix == ".keras" for path in stored)
    assert not [path for path in stored if path.suffix in {".pkl", ".pickle", ".joblib"}]


def test_finite_weights_have_no_name_among_the_bad_ones(tmp_path: Path) -> None:
    model = tiny_model()
    model.save(tmp_path / "model.keras")
    assert non_finite_weights(tmp_path / "model.keras") == []
    bias = model.basket.next_symbol.readout.bias
    bias.assign(np.full(bias.shape, np.inf, np.float32))
    model.save(tmp_path / "model.keras")
    assert len(non_finite_weights(tmp_path / "model.keras")) == 1


def test_secrets_and_passwords_in_addresses_never_reach_mlflow(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LARDER_DATABASE_URL", "postgresql://larder:hunter2@db/larder")
    monkeypatch.setenv("LARDER_TRACKING_URI", "http://larder:hunter3@mlflow:5000")
    shown = json.dumps(masked(Settings()))
    assert "hunter" not in shown
    assert "mlflow:5000" in shown


def test_models_of_later_nights_are_marked_and_trained_anew(
    settings: Settings, workspace: Workspace, vocabulary: Path
) -> None:
    register_night(settings, workspace, vocabulary, "run1", tiny_model())
    promote(NEXT_BASKET, settings, workspace, Run("shop", BUSINESS_DATE, "run1"))
    assert mark_for_retraining(settings, "shop", BUSINESS_DATE, "why") == []
    served = registry(settings).champion()
    assert served is not None
    assert not served.must_retrain
    assert mark_for_retraining(settings, "shop", BUSINESS_DATE - timedelta(days=1), "why") == [
        "larder-shop-next_basket/1"
    ]
    marked = registry(settings).champion()
    assert marked is not None
    assert marked.must_retrain
    assert registry(settings).versions()[0][RETRAIN_TAG] == "why"
