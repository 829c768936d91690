"""A champion of before a registered name held its task is taken over once, or left with a reason; nothing fails."""

from datetime import timedelta
from pathlib import Path

import mlflow
import numpy as np
import pytest

from models.lens import Lens
from pipeline.evaluation.serving import FoundChampion, usable_champion
from pipeline.settings import Settings
from pipeline.tasks.catalog import NEXT_BASKET
from pipeline.tracking.registry import (
    ALIAS,
    RETRAIN_TAG,
    Registry,
    champion_number,
    connect,
    mark_for_retraining,
)
from pipeline.workspace import Workspace
from tests.factories import BUSINESS_DATE
from tests.pipeline.tracking.nights import N_PRODUCTS, publish_vocabulary, register_night, tiny_model

FORMER, NAME = "larder-shop", "larder-shop-next_basket"


def register_former(settings: Settings, vocabulary: Path, model: Lens) -> None:
    """A champion as it was registered when a source had one model: no digest, no tag of the source."""
    client = connect(settings)
    tags = {"run_id": "old", "business_date": BUSINESS_DATE.isoformat()}
    tags |= {"architecture": "lens1000", "vocabulary_hash": "v1"}
    artifacts = (Path(settings.data_dir) / "mlartifacts" / FORMER).as_uri()
    experiment = client.create_experiment(FORMER, artifact_location=artifacts)
    with mlflow.start_run(experiment_id=experiment, tags=tags) as run:
        mlflow.log_artifacts(str(vocabulary), "vocabulary")
        logged = mlflow.keras.log_model(model, name="model", pip_requirements=["keras"])
    client.create_registered_model(FORMER)
    client.create_model_version(
        FORMER, source=logged.model_uri, run_id=run.info.run_id, tags=tags, model_id=logged.model_id
    )
    client.set_registered_model_alias(FORMER, ALIAS, "1")


def look(settings: Settings, workspace: Workspace) -> FoundChampion:
    registry = Registry(settings, "shop", NEXT_BASKET)
    return usable_champion(registry, workspace.task_folder("run2", NEXT_BASKET.name))


def test_it_is_taken_over_once_and_serves_the_same_weights(settings: Settings, workspace: Workspace) -> None:
    vocabulary, model = publish_vocabulary(workspace), tiny_model()
    model.backbone.products.bias.assign(np.arange(N_PRODUCTS, dtype=np.float32))
    register_former(settings, vocabulary, model)
    found = look(settings, workspace)
    assert found.details == {"champion": f"{FORMER}/1 was taken over as {NAME}/1"}
    assert found.champion is not None
    assert (found.champion.version, found.champion.business_date) == (f"{NAME}/1", BUSINESS_DATE)
    assert np.array_equal(
        NEXT_BASKET.load(found.champion.model_path).backbone.products.bias, model.backbone.products.bias
    )
    again = look(settings, workspace)
    assert (again.champion, again.details) == (found.champion, {})


def test_an_erased_customer_is_still_to_be_unlearned(settings: Settings, workspace: Workspace) -> None:
    register_former(settings, publish_vocabulary(workspace), tiny_model())
    before = BUSINESS_DATE - timedelta(days=1)
    assert mark_for_retraining(settings, "shop", before, "why") == [f"{FORMER}/1"]
    found = look(settings, workspace)
    assert found.champion is not None
    assert found.champion.must_retrain
    assert mark_for_retraining(settings, "shop", before, "again") == [f"{NAME}/1", f"{FORMER}/1"]
    assert Registry(settings, "shop", NEXT_BASKET).versions()[0][RETRAIN_TAG] == "again"


@pytest.mark.parametrize("broken", ["weights", "vocabulary", "files"])
def test_a_former_champion_that_is_not_whole_is_left_and_said(
    settings: Settings, workspace: Workspace, tmp_path: Path, broken: str
) -> None:
    vocabulary, model = publish_vocabulary(workspace), tiny_model()
    if broken == "weights":
        model.backbone.products.bias.assign(np.full(N_PRODUCTS, np.nan, np.float32))
    if broken == "vocabulary":
        model.keys.product_keys = model.keys.product_keys[::-1].copy()
    register_former(settings, vocabulary, model)
    if broken == "files":
        for path in Path(settings.data_dir).rglob("mlartifacts/**/model.keras"):
            path.unlink()
    found = look(settings, workspace)
    assert found.champion is None
    assert f"{FORMER}/1 was not taken over, {NAME} starts anew" in found.details["champion"]


def test_once_the_task_has_a_version_of_its_own_the_former_name_is_not_looked_at(
    settings: Settings, workspace: Workspace
) -> None:
    vocabulary = publish_vocabulary(workspace)
    register_night(settings, workspace, vocabulary, "run1", tiny_model())
    register_former(settings, vocabulary, tiny_model())
    assert look(settings, workspace) == FoundChampion(None, [])
    assert champion_number(settings, NAME) is None
