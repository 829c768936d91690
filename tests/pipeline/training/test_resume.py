"""A worker killed in the middle of a training changes nothing but the time it takes."""

import io
import os
import signal
import threading
import time
import zipfile
from pathlib import Path

import h5py
import numpy as np
from pyspark.sql import SparkSession

from models.catalog import build
from pipeline.dataset.examples import NextBasketExamples
from pipeline.settings import TrainingSettings
from pipeline.tasks.catalog import NEXT_BASKET
from pipeline.training.history import Epoch, read_history
from pipeline.training.launcher import launch
from pipeline.training.spec import TrainingSpec
from tests.factories import BUSINESS_DATE
from tests.pipeline.dataset.sequences import random_sequences, write_sequences

# Three times two workers start and trace their graphs: without the session encoder's that takes half as long.
SETTINGS = TrainingSettings(
    architecture="lens_mean", epochs=2, batch_size=16, max_baskets=5, max_products=8, checkpoint_steps=2, workers=2
)


def test_a_training_whose_worker_is_killed_ends_with_the_same_weights(spark: SparkSession, tmp_path: Path) -> None:
    sequences, vocabulary = write_sequences(tmp_path / "data", random_sequences(80), 25)
    data = NextBasketExamples.open(sequences, vocabulary, BUSINESS_DATE, SETTINGS)
    keys = {"product_keys": data.product_keys, "customer_keys": data.customer_keys}
    build(SETTINGS.architecture, **keys, product_counts=data.product_counts, seed=7).save(tmp_path / "champion.keras")

    def spec(name: str) -> TrainingSpec:
        return TrainingSpec(
            folder=tmp_path / name,
            task=NEXT_BASKET.name,
            tables={"sequences": sequences, "vocabulary": vocabulary},
            business_date=BUSINESS_DATE,
            settings=SETTINGS,
            initial_model=tmp_path / "champion.keras",
        )

    undisturbed, disturbed = spec("undisturbed"), spec("disturbed")
    launch(spark, NEXT_BASKET, undisturbed, timeout_minutes=5)
    killer = threading.Thread(target=kill_a_worker_after_a_checkpoint, args=(disturbed,))
    killer.start()
    launch(spark, NEXT_BASKET, disturbed, timeout_minutes=5)
    killer.join()

    starts = [line for line in (disturbed.folder / "worker-0.log").read_text().splitlines() if "from step" in line]
    assert len(starts) == 2, "the worker was killed, and the stage retried once"
    assert int(starts[1].rpartition(" ")[2]) > 0, "the second attempt began at a checkpoint"
    assert same_weights(undisturbed.model_path, disturbed.model_path)
    assert metrics(undisturbed) == metrics(disturbed)


def kill_a_worker_after_a_checkpoint(spec: TrainingSpec) -> None:
    """`kill -9` the second worker once the chief has written a checkpoint."""
    while not list(spec.checkpoints.glob("ckpt-*.index")):
        time.sleep(0.01)
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().split(b"\0")
            environment = (process / "environ").read_bytes()
        except OSError:
            continue
        if str(spec.folder / "spec.json").encode() in command and b'"index": 1' in environment:
            os.kill(int(process.name), signal.SIGKILL)


def same_weights(one: Path, other: Path) -> bool:
    """Whether two Keras files hold the same arrays, bit for bit."""
    ours, theirs = arrays(one), arrays(other)
    return set(ours) == set(theirs) and all(ours[name].tobytes() == theirs[name].tobytes() for name in ours)


def arrays(keras_file: Path) -> dict[str, np.ndarray]:
    """Every stored array by name."""
    found: dict[str, np.ndarray] = {}

    def collect(name: str, node: object) -> None:
        if isinstance(node, h5py.Dataset):
            found[name] = node[...]

    with zipfile.ZipFile(keras_file) as archive, h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as weights:
        weights.visititems(collect)
    return found


def metrics(spec: TrainingSpec) -> list[Epoch]:
    """The history without how long it took."""
    return [
        {name: value for name, value in epoch.items() if name != "seconds"} for epoch in read_history(spec.history_path)
    ]
