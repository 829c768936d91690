"""How many steps a training takes, and where its learning rate ends."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from pipeline.settings import TrainingSettings
from pipeline.training.history import Epoch, read_history
from pipeline.training.loop import Training
from pipeline.training.progress import TrainingProgress, read_progress
from pipeline.training.spec import TrainingFolder
from pipeline.training.train import train_alone
from tests.weekday_task.examples import WeekdayExamples
from tests.weekday_task.task import WeekdayWeights


class TenBatches(WeekdayExamples):
    """Ten batches an epoch of two products, without a table."""

    def __init__(self) -> None:
        self.product_ids = np.array(["p1", "p2"])

    def steps_per_epoch(self, batch_size: int) -> int:
        return 10

    def batch(self, step: int, batch_size: int, worker: int = 0, workers: int = 1) -> dict[str, np.ndarray]:
        product = np.arange(batch_size, dtype=np.int32) % 2
        return {"product": product, "weekday": product, "units": product.astype(np.float32) + step % 10}


def trained(folder: Path, **settings: float) -> list[Epoch]:
    made = TrainingSettings(**{"workers": 1, "batch_size": 4, "epochs": 3, "patience": 9, **settings})
    train_alone(WeekdayWeights(), TrainingFolder(folder=folder, settings=made), TenBatches())
    return read_history(folder / "history.json")


@pytest.mark.parametrize(
    ("max_steps", "taken"), [(4, [4]), (10, [10]), (13, [10, 3]), (29, [10, 10, 9]), (30, [10] * 3), (99, [10] * 3)]
)
def test_max_steps_is_a_true_cap(tmp_path: Path, max_steps: int, taken: list[int]) -> None:
    assert [epoch["steps"] for epoch in trained(tmp_path, max_steps=max_steps)] == taken


@pytest.mark.parametrize(("until", "passes"), [(1, 1), (10, 1), (19, 1), (20, 2), (29, 2), (30, 3), (99, 3)])
def test_a_pass_is_repeated_only_if_it_ends_in_time(tmp_path: Path, until: int, passes: int) -> None:
    taken = [epoch["steps"] for epoch in trained(tmp_path, repeat_until_step=until)]
    assert taken == [10] * passes


def test_the_first_pass_is_cut_short_by_max_steps_alone(tmp_path: Path) -> None:
    assert [epoch["steps"] for epoch in trained(tmp_path, repeat_until_step=3, max_steps=7)] == [7]


def test_its_progress_ends_at_the_last_step(tmp_path: Path) -> None:
    trained(tmp_path, max_steps=13)
    assert read_progress(tmp_path, 0) == TrainingProgress(step=13, steps=13, epoch=2, epochs=2, seconds_left=0.0)


def test_a_training_that_is_cut_short_and_resumed_at_its_end_takes_no_further_step(tmp_path: Path) -> None:
    history = trained(tmp_path, max_steps=13)
    (tmp_path / "model.keras").rename(tmp_path / "best_model.keras")
    assert trained(tmp_path, max_steps=13) == history
    assert (tmp_path / "model.keras").is_file()


class Finished(WeekdayWeights):
    """Keeps what it was given, and may be killed at it."""

    def __init__(self, killed: bool = False) -> None:
        self.seen: list[bytes] = []
        self.killed = killed

    def finish(self, model_path: Path, examples: TenBatches, settings: TrainingSettings) -> None:
        assert isinstance(examples, TenBatches)
        if self.killed:
            raise KeyboardInterrupt
        self.seen.append(model_path.read_bytes())
        model_path.write_bytes(b"finished")


def test_a_task_finishes_the_best_weights_before_there_is_a_model(tmp_path: Path) -> None:
    folder = TrainingFolder(folder=tmp_path, settings=TrainingSettings(workers=1, batch_size=4, epochs=1))
    with pytest.raises(KeyboardInterrupt):
        train_alone(Finished(killed=True), folder, TenBatches())
    assert not folder.model_path.exists()
    best, task = folder.best_path.read_bytes(), Finished()
    train_alone(task, folder, TenBatches())
    assert task.seen == [best]
    assert folder.model_path.read_bytes() == b"finished"


class Prepared(WeekdayWeights):
    """Its whole network is a part that one worker trains beforehand, here by setting numbers of different sizes."""

    def __init__(self, *folders: Path) -> None:
        self.prepared, self.folders, self.shown = 0, folders, list[str]()

    def prepared_parts(self, model: keras.Model, settings: TrainingSettings) -> list[keras.Model]:
        return [model] * (settings.pointer_steps > 0)

    def prepare(self, model: keras.Model, examples: TenBatches, settings: TrainingSettings) -> None:
        self.prepared += 1
        self.shown = [str(read_progress(folder, 0)) for folder in self.folders]
        random = np.random.default_rng(5)
        model.set_weights([random.lognormal(size=old.shape).astype(old.dtype) for old in model.get_weights()])


class OneOfTwo(Training):
    """A worker whose sums have what `others` sent added."""

    others: np.ndarray | float = 0.0
    sent: np.ndarray

    def _over_workers(self, values: np.ndarray) -> np.ndarray:
        self.sent = values
        return values + self.others


def test_one_worker_prepares_and_the_other_takes_its_bits(tmp_path: Path) -> None:
    task, folder = Prepared(), TrainingFolder(folder=tmp_path, settings=TrainingSettings(workers=1, batch_size=4))
    first, second = (OneOfTwo(task, folder, TenBatches(), tf.distribute.get_strategy(), each) for each in (0, 1))
    first._prepare(task)
    second.others = first.sent
    second._prepare(task)
    assert task.prepared == 1
    assert not second.sent.any()
    for ours, theirs in zip(first.model.get_weights(), second.model.get_weights(), strict=True):
        assert ours.any()
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(("pointer_steps", "times"), [(0, 0), (5, 1)])
def test_a_part_is_prepared_before_the_first_step_alone(tmp_path: Path, pointer_steps: int, times: int) -> None:
    settings = TrainingSettings(workers=1, batch_size=4, epochs=1, patience=9, pointer_steps=pointer_steps)
    folder, task = TrainingFolder(folder=tmp_path, settings=settings), Prepared(tmp_path)
    train_alone(task, folder, TenBatches())
    assert task.prepared == times
    assert task.shown == ["some heads alone, before epoch 1 of 1"] * times
    folder.model_path.rename(folder.best_path)
    train_alone(task, folder, TenBatches())
    assert task.prepared == times, "a resumed training is prepared already"


def test_the_learning_rate_falls_to_zero_by_the_last_step(tmp_path: Path) -> None:
    settings = TrainingSettings(workers=1, batch_size=4, epochs=3, max_steps=13, learning_rate=0.1)
    folder = TrainingFolder(folder=tmp_path, settings=settings)
    training = Training(WeekdayWeights(), folder, TenBatches(), tf.distribute.get_strategy(), 0)
    rate = training.optimizer._learning_rate
    assert float(rate(0)) == pytest.approx(0.1)
    assert float(rate(12)) > 0.0
    assert float(rate(13)) == pytest.approx(0.0, abs=1e-9)
