"""What a training needs before its first step."""

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from pipeline.settings import TrainingSettings
from pipeline.tasks.catalog import NEXT_BASKET
from pipeline.training.launcher import executor_resources, launch
from pipeline.training.spec import TrainingSpec
from tests.factories import BUSINESS_DATE


def spec(folder: Path, **settings: int) -> TrainingSpec:
    """A training over tables that are not there."""
    return TrainingSpec(
        folder=folder / "training",
        task=NEXT_BASKET.name,
        tables={name: folder / name for name in NEXT_BASKET.reads},
        business_date=BUSINESS_DATE,
        settings=TrainingSettings(**settings),
    )


def test_more_workers_than_slots_is_refused_with_the_setting_to_change(spark: SparkSession, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="LARDER_TRAINING__WORKERS=2"):
        launch(spark, NEXT_BASKET, spec(tmp_path, workers=3), timeout_minutes=1)


def test_a_finished_training_is_not_done_again(spark: SparkSession, tmp_path: Path) -> None:
    finished = spec(tmp_path)
    finished.write()
    finished.model_path.write_bytes(b"weights")
    assert launch(spark, NEXT_BASKET, finished, timeout_minutes=1).read_bytes() == b"weights"


def test_executors_are_asked_for_the_gpu_that_a_worker_wants() -> None:
    assert executor_resources(TrainingSettings(gpus_per_worker=0)) == {}
    assert executor_resources(TrainingSettings(gpus_per_worker=1)) == {"spark.executor.resource.gpu.amount": "1"}


def test_another_training_in_the_same_folder_begins_anew(tmp_path: Path) -> None:
    first = spec(tmp_path)
    first.write()
    first.model_path.write_bytes(b"weights")
    spec(tmp_path, seed=1).write()
    assert not first.model_path.exists()
