"""The return model: padding changes nothing, it begins as a logistic regression, and the file alone predicts."""

import pickle
from dataclasses import asdict, replace
from pathlib import Path

import keras
import numpy as np
import pytest

from models import fields
from models.line_returns import LineReturns
from models.returns.config import PAST_ORDER, RETURN_ARCHITECTURES, THIS_ORDER
from models.returns.timing import ReturnTiming
from models.saved_files import load_return_model
from pipeline.evaluation.stored_model import return_model_problems

NAMES = ("log_value", "customer_rate", "product_rate")
TIMING = ReturnTiming((0.2, 0.6, 1.0), 0.8)
SMALL = {
    name: replace(config, units=(4,) * len(config.units), static_units=4, attribute_buckets=16)
    for name, config in RETURN_ARCHITECTURES.items()
}

Batch = dict[str, np.ndarray]


def model_of(architecture: str = "returns", seed: int = 0, names: tuple[str, ...] = NAMES) -> LineReturns:
    config = asdict(SMALL[architecture]) | {"seed": seed}
    return LineReturns(config, 4, names, base_rate=0.1, timing=TIMING.as_stored())


def batch_of(n: int = 6, seed: int = 0) -> Batch:
    """Lines of customers with up to three orders before; every other one comes back."""
    random = np.random.default_rng(seed)
    length = random.integers(1, 5, n)
    is_order = np.arange(4)[None] < length[:, None]
    ids = np.where(is_order, PAST_ORDER, 0)
    ids[np.arange(n), length - 1] = THIS_ORDER
    hours = ("EVENT_GAP_HOURS", "EVENT_ELAPSED_HOURS", "EVENT_LOCAL_HOURS", "EVENT_WEEKDAYS")
    return {
        fields.EVENT_IDS: ids.astype(np.int32),
        **{getattr(fields, name): (random.random((n, 4)) * is_order).astype(np.float32) for name in hours},
        fields.EVENT_DAYS: np.zeros((n, 4), np.float32),
        fields.EVENT_NUMBERS: (random.normal(size=(n, 4, 4)) * is_order[..., None]).astype(np.float32),
        fields.ATTRIBUTES: random.integers(0, 99, (n, 3)).astype(np.int32),
        fields.NUMBERS: random.normal(size=(n, len(NAMES))).astype(np.float32),
        fields.TARGET_RETURNED: (np.arange(n) % 2).astype(np.float32),
    }


def padded(batch: Batch, events: int, attributes: int) -> Batch:
    """The same lines behind more padding."""
    found = dict(batch)
    for name, array in batch.items():
        if name.startswith("event_"):
            found[name] = np.pad(array, [(0, 0), (0, events), *[(0, 0)] * (array.ndim - 2)])
    return found | {fields.ATTRIBUTES: np.pad(batch[fields.ATTRIBUTES], [(0, 0), (0, attributes)])}


@pytest.mark.parametrize("architecture", SMALL)
def test_a_longer_padding_changes_nothing(architecture: str) -> None:
    model, batch = model_of(architecture), batch_of()
    found = np.asarray(model.log_odds(batch))
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, np.asarray(model.log_odds(padded(batch, 3, 2))), atol=1e-6)


def test_a_new_model_is_a_logistic_regression_of_its_numbers() -> None:
    model, batch = model_of(), batch_of(50)
    model.adapt(batch)
    weights = np.array([0.5, -1.0, 0.25])
    model.start_linear(weights, -2.0)
    numbers = batch[fields.NUMBERS].astype(float)
    standardised = np.clip((numbers - numbers.mean(axis=0)) / numbers.std(axis=0), -4, 4)
    np.testing.assert_allclose(model.log_odds(batch), standardised @ weights - 2.0, atol=1e-4)


@pytest.mark.parametrize("architecture", SMALL)
def test_the_file_holds_names_and_timing_and_predicts_alike(architecture: str, tmp_path: Path) -> None:
    model, batch = model_of(architecture), batch_of()
    model.adapt(batch)
    model.save(tmp_path / "model.keras")
    loaded = load_return_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(model.log_odds(batch), loaded.log_odds(batch))
    assert (loaded.number_names, loaded.timing, loaded.base_rate) == (NAMES, TIMING, 0.1)
    assert pickle.loads(pickle.dumps(loaded.timing)) == TIMING, "it is sent to executors"


def test_a_few_lines_are_learned_by_heart() -> None:
    import tensorflow as tf

    keras.utils.set_random_seed(0)
    model, batch = model_of(), batch_of(8)
    optimizer = keras.optimizers.Adam(0.05)

    @tf.function
    def step() -> tf.Tensor:
        with tf.GradientTape() as tape:
            losses = model.losses(batch, training=False)
        optimizer.apply(tape.gradient(losses["total"], model.trainable_variables), model.trainable_variables)
        return losses["total"]

    first, *_, last = [float(step()) for _ in range(150)]
    assert last < 0.05 < first
    np.testing.assert_array_equal(np.asarray(model.log_odds(batch)) > 0, batch[fields.TARGET_RETURNED] > 0)


def test_a_stored_model_of_other_numbers_is_a_problem_and_so_is_another_class(tmp_path: Path) -> None:
    file = tmp_path / "model.keras"
    model_of().save(file)
    assert return_model_problems(file, NAMES) == []
    assert "first: new" in return_model_problems(file, (*NAMES, "new"))[0]
    keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)]).save(file)
    assert "not a larder>LineReturns" in return_model_problems(file, NAMES)[0]


def test_weights_are_copied_between_models_of_the_same_numbers_alone() -> None:
    old, new, batch = model_of(seed=1), model_of(seed=2), batch_of()
    old.adapt(batch)
    new.warm_start_from(old)
    np.testing.assert_array_equal(new.log_odds(batch), old.log_odds(batch))
    with pytest.raises(ValueError, match="the same numbers"):
        model_of(names=("a", "b", "c")).warm_start_from(old)
