"""A champion that is not whole is left with a reason: the night predicts and trains without it, and never fails."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline.evaluation.promotion import promote
from pipeline.evaluation.serving import FoundChampion, usable_champion
from pipeline.settings import Settings
from pipeline.tasks.catalog import NEXT_BASKET
from pipeline.tracking.registry import DIGEST_TAG, Champion, Registry
from pipeline.workspace import Run, Workspace
from tests.factories import BUSINESS_DATE
from tests.pipeline.tracking.nights import N_PRODUCTS, publish_vocabulary, register_night, tiny_model

NAME = "larder-shop-next_basket"


@pytest.fixture
def champion(settings: Settings, workspace: Workspace) -> Champion:
    """A champion, fetched."""
    register_night(settings, workspace, publish_vocabulary(workspace), "run1", tiny_model())
    assert promote(NEXT_BASKET, settings, workspace, Run("shop", BUSINESS_DATE, "run1")).promoted
    found = registry(settings).champion()
    assert found is not None
    return found


def registry(settings: Settings) -> Registry:
    return Registry(settings, "shop", NEXT_BASKET)


def look(settings: Settings, workspace: Workspace) -> FoundChampion:
    return usable_champion(registry(settings), workspace.task_folder("run2", NEXT_BASKET.name))


def write_vocabulary(folder: Path, change: Callable[[list[str]], list[str]]) -> None:
    (file,) = folder.glob("*.parquet")
    table = pq.read_table(file)
    names = change(table["product_id"].to_pylist())
    table = table.slice(0, len(names))
    pq.write_table(table.set_column(table.schema.get_field_index("product_id"), "product_id", [names]), file)


def save_over(champion: Champion, settings: Settings, spoil: Callable[[Path], None]) -> None:
    """Spoil the file in the store, as it was registered: digest and all."""
    from pipeline.tracking.registry import file_digest

    spoil(champion.model_path)
    for stored in Path(settings.data_dir).rglob("mlartifacts/**/model.keras"):
        shutil.copyfile(champion.model_path, stored)
    registry(settings).tag(champion.number, {DIGEST_TAG: file_digest(champion.model_path)})


def nan_weights(path: Path) -> None:
    model = tiny_model()
    model.backbone.products.bias.assign(np.full(N_PRODUCTS, np.nan, np.float32))
    model.save(path)


def another_class(path: Path) -> None:
    import keras

    keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)]).save(path)


def no_archive(path: Path) -> None:
    path.write_bytes(b"half a file")


def test_a_whole_champion_is_used_without_a_word(settings: Settings, workspace: Workspace, champion: Champion) -> None:
    found = look(settings, workspace)
    assert (found.champion, found.details) == (champion, {})


CHANGES: dict[str, Callable[[list[str]], list[str]]] = {
    "rotated": lambda names: names[1:] + names[:1],
    "shorter": lambda names: names[:-1],
    "renamed": lambda names: [*names[:-1], "another"],
    "reversed": lambda names: names[::-1],
}


def test_a_vocabulary_that_is_not_that_of_the_keys_is_refused(
    settings: Settings, workspace: Workspace, champion: Champion
) -> None:
    (file,) = champion.table("vocabulary").glob("*.parquet")
    whole = file.read_bytes()
    for name, change in CHANGES.items():
        file.write_bytes(whole)
        write_vocabulary(champion.table("vocabulary"), change)
        found = look(settings, workspace)
        assert found.champion is None, name
        assert f"{NAME}/1 is not used: the vocabulary beside the model" in found.details["champion"], name


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [(nan_weights, "weights are not finite"), (another_class, "not a larder>Lens"), (no_archive, "cannot be read")],
)
def test_a_broken_file_is_refused_and_a_candidate_takes_its_place(
    settings: Settings, workspace: Workspace, champion: Champion, spoil: Callable[[Path], None], reason: str
) -> None:
    save_over(champion, settings, spoil)
    found = look(settings, workspace)
    assert found.champion is None
    assert reason in found.details["champion"]
    scores = {"candidate": {"recall@10": 0.3}, "global_top": {"recall@10": 0.1}}
    vocabulary = workspace.lake.path("vocabulary", "run0")
    register_night(settings, workspace, vocabulary, "run2", tiny_model(), scores=scores, measured_against=None)
    verdict = promote(NEXT_BASKET, settings, workspace, Run("shop", BUSINESS_DATE, "run2"))
    assert verdict.promoted, verdict.reasons


def test_a_changed_local_copy_is_fetched_anew(settings: Settings, workspace: Workspace, champion: Champion) -> None:
    registered = champion.model_path.read_bytes()
    model = tiny_model()
    model.backbone.products.bias.assign(np.full(N_PRODUCTS, 1e6, np.float32))
    model.save(champion.model_path)
    found = look(settings, workspace)
    assert found.champion is not None
    assert found.champion.model_path.read_bytes() == registered


def test_other_weights_in_the_store_are_refused(settings: Settings, workspace: Workspace, champion: Champion) -> None:
    model = tiny_model()
    model.backbone.products.bias.assign(np.full(N_PRODUCTS, 1e6, np.float32))
    stored = list(Path(settings.data_dir).rglob("mlartifacts/**/model.keras"))
    assert stored
    for path in (*stored, champion.model_path):
        model.save(path)
    assert "not the one that was registered" in look(settings, workspace).details["champion"]


def test_a_new_store_beside_old_copies_never_serves_old_weights(
    settings: Settings, workspace: Workspace, champion: Champion
) -> None:
    settings = settings.model_copy(update={"tracking_uri": f"sqlite:///{settings.data_dir}/new.db"})
    vars(settings).pop("mlflow_uri", None)  # cached
    model = tiny_model()
    model.backbone.products.bias.assign(np.full(N_PRODUCTS, 0.5, np.float32))
    vocabulary = workspace.lake.path("vocabulary", "run0")
    register_night(settings, workspace, vocabulary, "run3", model)
    fetched = registry(settings).fetch("1")
    assert fetched.version == champion.version
    assert np.array_equal(NEXT_BASKET.load(fetched.model_path).backbone.products.bias, model.backbone.products.bias)
