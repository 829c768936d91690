"""A model of article vectors from training to rows: the same again, centred, and the same for whatever batch."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipeline.dataset.item_vector_rows import item_vector_predictor
from pipeline.dataset.style_data import read_articles
from pipeline.settings import Settings, TrainingSettings
from pipeline.task import PredictionInput, ServedModel
from pipeline.tasks.item_vectors import ItemVectors
from pipeline.training.spec import TrainingFolder
from pipeline.training.train import train_alone
from tests.pipeline.dataset.fashion_tables import SMALL, fashion_tables

TASK = ItemVectors()
VERSION = "larder-fashion-item_vectors/1"


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return fashion_tables(tmp_path_factory.mktemp("tables"))


def trained(tables: dict[str, Path], folder: Path, steps: int = 20) -> Path:
    """The file of a model, by the nightly loop."""
    folder.mkdir()
    few = {"max_steps": steps, "holdout_days": 20, "scorecard_customers": 50}
    settings = TrainingSettings(**(dict(TASK.training_defaults) | few))
    spec = TrainingFolder(folder=folder, settings=settings)
    train_alone(TASK, spec, TASK.examples(tables, SMALL.business_date, settings))
    return spec.model_path


def test_a_model_gives_the_same_vectors_again_and_for_any_batch(
    tables: dict[str, Path], tmp_path: Path, settings: Settings
) -> None:
    path = trained(tables, tmp_path / "one")
    assert TASK.problems(path, {}) == []
    examples = TASK.examples(tables, SMALL.business_date, TrainingSettings(holdout_days=20))
    figures = TASK.measure(path, examples, 50)
    assert figures == TASK.measure(trained(tables, tmp_path / "two"), examples, 50), "one seed, one result"
    assert figures.keys() == TASK.measure_baselines(examples, 50)["content"].keys()
    served = ServedModel(VERSION, "item_vectors", path, {})
    predict = item_vector_predictor(PredictionInput(SMALL.business_date, settings, tables, served))
    rows = read_articles(tables["articles"], tables["article_images"])
    at_once = vectors(predict, rows)
    assert np.abs(np.mean(list(at_once.values()), axis=0)).max() < 1e-3
    assert np.mean(np.square(list(at_once.values()))) == pytest.approx(1.0, abs=1e-3)
    in_parts = vectors(predict, rows.slice(0, 7)) | vectors(predict, rows.slice(7))
    for name, vector in at_once.items():
        np.testing.assert_allclose(vector, in_parts[name], atol=1e-4)


def vectors(predict: object, rows: pa.Table) -> dict[str, list[float]]:
    assert callable(predict)
    found = [row for batch in rows.combine_chunks().to_batches() for made in predict(batch) for row in made.to_pylist()]
    assert {row["model_version"] for row in found} == {VERSION}
    assert all({"tags", "numbers"} <= set(row["inputs"]) for row in found)
    return {row["product_id"]: row["vector"] for row in found}
