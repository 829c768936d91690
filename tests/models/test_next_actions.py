"""Networks for next actions: padding changes nothing, an open case goes on, what is known of a case is used."""

from dataclasses import asdict, replace
from itertools import product
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from models import fields
from models.action_architectures import ACTION_ARCHITECTURES
from models.actions.action_log import Prefixes, prefixes_of
from models.next_actions import NextActions
from models.special_ids import END, PADDING, UNKNOWN
from pipeline.dataset.action_batches import action_batch
from tests.models.actions.logs import log_of

NAMES = ("call", "email", "offer", "visit", "close")
STEPS = 6
# What follows the first action depends on the attribute alone.
CASES = [[0, 1, 4], [0, 3, 4]] * 8
LOG = log_of(*CASES, attributes=[11, 22] * 8, numbers=[1.0, 5.0] * 8, won=[1.0, 0.0] * 8)


@pytest.fixture(scope="module", params=ACTION_ARCHITECTURES)
def model(request: pytest.FixtureRequest) -> NextActions:
    """Each architecture, trained on two procedures until it knows them by heart."""
    config = replace(ACTION_ARCHITECTURES[request.param], dropout=0.0, seed=3)
    keras.utils.set_random_seed(3)
    made = NextActions(asdict(config), NAMES, 1, True)
    batch = batch_of(LOG)
    made.adapt(batch)
    learn(made, batch, steps=150)
    return made


def batch_of(log: Any, moments: Prefixes | None = None) -> dict[str, np.ndarray]:
    return action_batch(log, moments or prefixes_of(log), longest_past=8, longest_rest=STEPS)


def learn(model: NextActions, batch: dict[str, np.ndarray], steps: int) -> None:
    import tensorflow as tf

    optimizer = keras.optimizers.Adam(5e-3)
    tensors = {name: tf.constant(array) for name, array in batch.items()}

    @tf.function
    def step() -> Any:
        with tf.GradientTape() as tape:
            losses = model.losses(tensors, training=True)
        variables = model.trainable_variables
        optimizer.apply([tf.convert_to_tensor(each) for each in tape.gradient(losses["total"], variables)], variables)
        return losses["remainder"]

    first = float(step())
    for _ in range(steps):
        last = float(step())
    assert last < 0.5 * first


def plan(model: NextActions, batch: dict[str, np.ndarray], seed: int = 0) -> dict[str, np.ndarray]:
    uniforms = np.random.default_rng(seed).random((len(batch[fields.EVENT_IDS]), 20, STEPS)).astype(np.float32)
    return {name: np.asarray(each) for name, each in model.plan(batch, uniforms, 20, STEPS).items()}


def test_it_learns_two_procedures_that_the_attributes_decide(model: NextActions) -> None:
    first = Prefixes(np.array([0, 1]), np.array([1, 1]))
    greedy = plan(model, batch_of(LOG, first))["greedy"]
    assert [[NAMES[each - 3] for each in row if each > END] for row in greedy] == [
        ["email", "close"],
        ["visit", "close"],
    ]
    shuffled = batch_of(LOG, first)
    for name in (fields.ATTRIBUTES, fields.NUMBERS):
        shuffled[name] = shuffled[name][::-1]
    assert (plan(model, shuffled)["greedy"][:, 0] == greedy[::-1, 0]).all(), "the attributes alone tell them apart"


def test_the_likeliest_remainder_of_all_is_found_by_enough_beams(model: NextActions) -> None:
    batch = batch_of(LOG, Prefixes(np.array([0, 1]), np.array([1, 1])))
    actions = range(3, 3 + len(NAMES))
    every = [(*rest, END)[:3] for n in (1, 2, 3) for rest in product(actions, repeat=n)]
    targets = np.array([[*rest, *[PADDING] * (3 - len(rest))] for rest in every], np.int32)
    best = []
    for case in range(2):
        one = {name: np.repeat(array[case : case + 1], len(every), axis=0) for name, array in batch.items()}
        one[fields.TARGET_EVENTS] = targets
        log_probabilities = np.asarray(model.remainder(model(one), one))[:, :3]
        found = np.take_along_axis(log_probabilities, targets[..., None], axis=-1)[..., 0] * (targets != PADDING)
        best.append(every[int(np.argmax(found.sum(axis=1)))])
    likeliest, _ = model.remainder.likeliest(model(batch), 3, beams=len(every))
    assert [tuple(int(each) for each in row if each) for row in np.asarray(likeliest)] == best


def test_more_beams_find_nothing_less_likely(model: NextActions) -> None:
    state = model(batch_of(LOG))
    greedy, of_greedy = (np.asarray(each) for each in model.remainder.greedy(state, STEPS))
    one, of_one = (np.asarray(each) for each in model.remainder.likeliest(state, STEPS, 1))
    _, of_many = (np.asarray(each) for each in model.remainder.likeliest(state, STEPS, 6))
    if model.config.kind != "flat":
        np.testing.assert_array_equal(one, greedy)
    assert (of_one >= of_greedy - 1e-4).all()
    assert (of_many >= of_one - 1e-4).all()


def test_a_longer_pad_changes_nothing(model: NextActions) -> None:
    batch = batch_of(LOG)
    wider = batch | {name: np.pad(batch[name], [(0, 0), (0, 3)]) for name in batch if name.startswith("event_")}
    wider |= {name: np.pad(batch[name], [(0, 0), (0, 2)]) for name in (fields.TARGET_EVENTS, fields.TARGET_DAYS)}
    for name, value in model.losses(batch).items():
        np.testing.assert_allclose(np.asarray(model.losses(wider)[name]), np.asarray(value), rtol=1e-5, err_msg=name)
    before, after = plan(model, batch), plan(model, wider)
    np.testing.assert_array_equal(before["samples"], after["samples"])
    np.testing.assert_allclose(before["next_probabilities"], after["next_probabilities"], atol=1e-6)
    np.testing.assert_allclose(after["attention"][:, before["attention"].shape[1] :], 0.0, atol=1e-7)


def test_an_open_case_goes_on_and_nothing_follows_its_end(model: NextActions) -> None:
    found = plan(model, batch_of(LOG))
    assert (found["samples"][:, :, 0] > END).all()
    assert not np.isin(found["samples"], [UNKNOWN]).any()
    probabilities = found["next_probabilities"]
    assert (probabilities[:, [PADDING, UNKNOWN, END]] < 1e-6).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, atol=1e-5)
    ended = np.cumsum(found["samples"] == END, axis=-1) > 0
    assert (found["samples"][ended] <= END).all()
    np.testing.assert_allclose(found["attention"].sum(axis=1), 1.0, atol=1e-5)


def test_a_case_gets_the_same_samples_in_any_batch(model: NextActions) -> None:
    moments = prefixes_of(LOG)
    uniforms = np.random.default_rng(1).random((len(moments), 20, STEPS)).astype(np.float32)
    whole = np.asarray(model.plan(batch_of(LOG), uniforms, 20, STEPS)["samples"])
    chosen = np.array([5, 2])
    part = model.plan(batch_of(LOG, moments.select(chosen)), uniforms[chosen], 20, STEPS)["samples"]
    np.testing.assert_array_equal(np.asarray(part), whole[chosen])


def test_a_saved_model_predicts_alike_and_knows_its_actions(model: NextActions, tmp_path: Path) -> None:
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", compile=False, safe_mode=True)
    assert loaded.action_names == NAMES
    batch = batch_of(LOG)
    for name, value in plan(model, batch).items():
        np.testing.assert_array_equal(plan(loaded, batch)[name], value, err_msg=name)


def test_a_warm_start_takes_the_weights_of_the_same_actions_alone(model: NextActions) -> None:
    # A model of attention may decode further than the one before: that is no weight.
    longer = {} if model.config.kind == "flat" else {"longest_rest": model.config.longest_rest + 1}
    fresh = NextActions(asdict(model.config) | longer, NAMES, 1, True)
    fresh.warm_start_from(model)
    np.testing.assert_array_equal(plan(fresh, batch_of(LOG))["greedy"], plan(model, batch_of(LOG))["greedy"])
    other = NextActions(asdict(model.config), (*NAMES[:-1], "sign"), 1, True)
    with pytest.raises(ValueError, match="the same actions"):
        other.warm_start_from(model)


def test_winning_is_learned_from_known_outcomes_alone(model: NextActions) -> None:
    batch = batch_of(LOG, Prefixes(np.array([0, 1]), np.array([1, 1])))
    won, lost = plan(model, batch)["win_probability"]
    assert won > 0.6
    assert lost < 0.4
    unknown = batch | {fields.TARGET_WON_KNOWN: np.zeros(2, np.float32)}
    assert float(model.losses(unknown)["win"]) == 0.0
