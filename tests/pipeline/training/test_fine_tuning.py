"""Fine-tuning by policy gradient: what it rewards, what it may change, and that it never ends with a worse model."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from models import catalog
from models.basket_sequences import BasketSequences
from models.lens import Lens
from models.saved_files import load_model
from pipeline.dataset.batch import Batch
from pipeline.settings import TrainingSettings
from pipeline.tasks.catalog import NEXT_BASKET
from pipeline.training.history import best_epoch, read_history
from pipeline.training.policy_gradient import reward
from pipeline.training.spec import TrainingFolder
from pipeline.training.train import train_alone
from tests.models.baskets import sequences
from tests.models.batches import N_CUSTOMERS, N_PRODUCTS, random_batch
from tests.models.conftest import POINTING

SETTINGS = TrainingSettings(
    architecture="tiny",
    workers=1,
    epochs=2,
    batch_size=8,
    max_products=6,
    learning_rate=0.01,
    pointer_steps=0,  # with the pointer head trained first, nothing is left to gain on eight examples
    finetune="policy-gradient",
    finetune_epochs=3,
    finetune_learning_rate=0.01,
)


class FewBatches:
    """The same eight examples in every step, and to judge by."""

    product_keys = np.arange(N_PRODUCTS, dtype=np.int64) * (np.arange(N_PRODUCTS) > 2)
    customer_keys = np.arange(N_CUSTOMERS, dtype=np.int64)
    product_counts = np.ones(N_PRODUCTS)

    def known(self) -> BasketSequences:
        """Not asked for."""
        return sequences([[3]])

    def steps_per_epoch(self, batch_size: int) -> int:
        """Few."""
        return 10

    def batch(self, step: int, batch_size: int, worker: int = 0, workers: int = 1) -> Batch:
        """Always the same."""
        return random_batch(examples=batch_size)

    def validation(self, batch_size: int, worker: int = 0, workers: int = 1) -> Iterator[Batch]:
        """The same again."""
        yield random_batch(examples=batch_size)


@pytest.fixture(scope="module", autouse=True)
def tiny_architecture() -> Iterator[None]:
    """A tiny architecture in the catalogue."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(catalog.ARCHITECTURES, "tiny", replace(POINTING))
        yield


def trained(folder: Path, settings: TrainingSettings = SETTINGS) -> TrainingFolder:
    """A training and its fine-tuning, finished."""
    made = TrainingFolder(folder=folder, settings=settings)
    train_alone(NEXT_BASKET, made, FewBatches())
    return made


@pytest.mark.parametrize(("n_trees", "pointer_steps", "is_held"), [(3, 0, False), (3, 4, True), (0, 4, False)])
def test_a_pointer_head_that_read_trees_alone_is_held_afterwards(
    n_trees: int, pointer_steps: int, *, is_held: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(catalog.ARCHITECTURES, "tiny", replace(POINTING, pointer_trees=n_trees))
    model = NEXT_BASKET.build(FewBatches(), SETTINGS.model_copy(update={"pointer_steps": pointer_steps}), None)
    trained_with_the_model = {id(each) for each in model.trainable_variables}
    head = model.basket.next_symbol.pointer_head
    network = [*head.of_candidate.weights, *head.hidden.weights, *head.copy.weights, *head.inclusion.weights]
    assert [id(each) in trained_with_the_model for each in network] == [not is_held] * len(network)
    assert id(model.basket.next_symbol.gate.kernel) in trained_with_the_model


def test_fine_tuning_has_its_own_number_of_passes_and_leaves_the_pointer_head(tmp_path: Path) -> None:
    settings = SETTINGS.model_copy(update={"repeat_until_step": 10, "pointer_steps": 7})
    made = TrainingFolder(folder=tmp_path, settings=settings)
    assert made.supervised().settings.steps(10) == 10
    assert made.fine_tuning().settings.steps(10) == 30
    assert made.supervised().settings.pointer_steps == 7
    assert made.fine_tuning().settings.pointer_steps == 0


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> TrainingFolder:
    """One that all tests look at."""
    return trained(tmp_path_factory.mktemp("tuned"))


def weights(model: Lens) -> dict[str, np.ndarray]:
    return {weight.path: weight.numpy() for weight in model.weights}


def test_the_reward_is_f1_over_products() -> None:
    written = tf.constant([[3, 4, 5, 0], [3, 0, 0, 0], [9, 2, 0, 0], [0, 0, 0, 0]])
    truth = tf.constant([[4, 3, 2], [4, 2, 0], [9, 2, 0], [4, 2, 0]])
    np.testing.assert_allclose(reward(written, truth), [2 * 2 / (3 + 2), 0.0, 1.0, 0.0])


def test_it_changes_the_behaviour_encoder_alone_and_writes_better_baskets(tuned: TrainingFolder) -> None:
    before, after = (load_model(each.model_path) for each in (tuned.supervised(), tuned))
    old, new = weights(before), weights(after)
    changed = {path for path, values in old.items() if not np.array_equal(values, new[path])}
    assert changed
    assert all("behaviour_encoder" in path for path in changed)
    batch = random_batch(examples=8)
    found = [
        float(tf.reduce_mean(reward(each.decode(batch, 6)["products"], batch["target_products"])))
        for each in (before, after)
    ]
    assert found[1] > found[0]


def test_the_same_training_ends_with_the_same_weights_and_can_be_cleaned_up(
    tuned: TrainingFolder, tmp_path: Path
) -> None:
    again = trained(tmp_path)
    old, new = (weights(load_model(each.model_path)) for each in (tuned, again))
    assert all(np.array_equal(values, new[path]) for path, values in old.items())
    assert rewards(tuned) == rewards(again)
    again.clean()
    left = {path.relative_to(again.folder).as_posix() for path in again.folder.rglob("*") if path.is_file()}
    assert left == {"history.json", "supervised/history.json"}


def test_the_history_holds_the_recall_of_the_kept_model_on_the_validation_examples(tuned: TrainingFolder) -> None:
    supervised = tuned.supervised()
    history = read_history(supervised.history_path)
    found = load_model(supervised.model_path).validation_metrics(random_batch(examples=8))
    kept = history[best_epoch(history)]
    assert kept["validation_recall_at_10"] == pytest.approx(float(found["recall_at_10"]))
    assert "recall_at_10" not in kept


def test_a_model_that_got_no_better_stays_as_it_was(tuned: TrainingFolder, tmp_path: Path) -> None:
    shutil.copytree(tuned.supervised().folder, tmp_path / "supervised")  # it would be trained alike
    spoilt = trained(tmp_path, SETTINGS.model_copy(update={"finetune_learning_rate": 10.0}))
    assert spoilt.model_path.read_bytes() == spoilt.supervised().model_path.read_bytes()


def rewards(folder: TrainingFolder) -> list[float]:
    return [epoch["reward"] for epoch in read_history(folder.history_path)]
