"""The basket head on its own: it serialises, its losses are means over examples, and it learns a tiny batch."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from models.heads.basket import BasketHead
from models.layers.product_embedding import ProductEmbedding
from models.special_ids import FIRST_PRODUCT
from tests.models.batches import N_PRODUCTS, padded, random_batch, rows, still_waiting

STATE_UNITS, MAX_PRODUCTS = 10, 8


def head(decoder: str = "lstm", pointer_units: int = 6) -> BasketHead:
    products = ProductEmbedding(N_PRODUCTS, 8, seed=1)
    made = BasketHead(products, STATE_UNITS, decoder_units=(16,), decoder=decoder, pointer_units=pointer_units, seed=2)
    made.build()
    return made


@pytest.fixture(params=[("lstm", 6), ("transformer", 6), ("lstm", 0)], ids=["lstm", "transformer", "no pointer"])
def made(request: pytest.FixtureRequest) -> BasketHead:
    """A small head of each kind."""
    return head(*request.param)


def states(examples: int = 4) -> np.ndarray:
    return np.random.default_rng(7).normal(size=(examples, STATE_UNITS)).astype(np.float32)


def losses(made: BasketHead, state: np.ndarray, batch: dict[str, np.ndarray]) -> dict[str, float]:
    return {name: float(value) for name, value in made.losses(made(state, batch), batch).items()}


def per_example(made: BasketHead, state: np.ndarray, batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    found = made.loss_per_example(made(state, batch), batch)
    return {name: ops.convert_to_numpy(value) for name, value in found.items()}


def test_it_survives_serialisation(made: BasketHead) -> None:
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(made))
    if not again.built:
        again.build()
    assert again.get_config() == made.get_config()
    for ours, theirs in zip(made.weights, again.weights, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(ours), ops.convert_to_numpy(theirs))


def test_losses_have_the_names_it_states(made: BasketHead) -> None:
    assert tuple(losses(made, states(), random_batch())) == made.loss_names


def test_losses_are_means_over_the_losses_of_examples(made: BasketHead) -> None:
    batch = random_batch()
    by_example = per_example(made, states(), batch)
    assert {name: value.shape for name, value in by_example.items()} == dict.fromkeys(made.loss_names, (4,))
    for name, value in losses(made, states(), batch).items():
        assert value == pytest.approx(by_example[name].mean(), rel=1e-5)


def test_the_loss_of_an_example_does_not_depend_on_the_others(made: BasketHead) -> None:
    batch, state = random_batch(examples=6), states(6)
    for name, value in per_example(made, state[[4]], rows(batch, [4])).items():
        np.testing.assert_allclose(value[0], per_example(made, state, batch)[name][4], rtol=1e-4, atol=1e-6)


def test_padding_changes_no_loss(made: BasketHead) -> None:
    batch = random_batch()
    assert losses(made, states(), padded(batch)) == pytest.approx(losses(made, states(), batch), rel=1e-5)


def test_an_example_without_a_next_basket_has_no_loss(made: BasketHead) -> None:
    batch = still_waiting(random_batch(), [1, 3])
    for value in per_example(made, states(), batch).values():
        assert np.all(value[[1, 3]] == 0)
        assert np.any(value[[0, 2]] != 0)


def test_predictions_have_one_row_per_example_and_probabilities(made: BasketHead) -> None:
    batch = random_batch()
    for found in (made.predict(states(), batch, MAX_PRODUCTS), made.best_f1(states(), batch, MAX_PRODUCTS)):
        assert {name: value.shape for name, value in found.items()} == dict.fromkeys(
            ("products", "probabilities", "quantities"), (4, MAX_PRODUCTS)
        )
        probabilities = ops.convert_to_numpy(found["probabilities"])
        assert np.all((probabilities >= 0) & (probabilities <= 1))


def test_the_log_likelihood_of_the_true_basket_is_its_content_loss(made: BasketHead) -> None:
    batch = random_batch()
    found = ops.convert_to_numpy(made.log_likelihood(states(), batch, batch["target_products"]))
    np.testing.assert_allclose(-found, per_example(made, states(), batch)["content"], rtol=1e-5)


def test_a_sample_holds_each_product_once_and_has_a_finite_likelihood(made: BasketHead) -> None:
    batch, seeds = random_batch(), keras.random.SeedGenerator(1)

    def sampler(log_probabilities: Any, position: int) -> Any:
        return keras.random.categorical(log_probabilities, 1, dtype="int32", seed=seeds)[:, 0]

    sampled = ops.convert_to_numpy(made.sample(states(), batch, MAX_PRODUCTS, sampler))
    for basket in sampled:
        real = basket[basket >= FIRST_PRODUCT]
        assert 0 < len(set(real)) == len(real)
    assert np.all(np.isfinite(made.log_likelihood(states(), batch, sampled)))


def test_it_overfits_a_tiny_batch(made: BasketHead) -> None:
    import tensorflow as tf

    batch, state = random_batch(), states()
    optimizer = keras.optimizers.Adam(0.02)
    optimizer.build(made.trainable_variables)

    @tf.function
    def step() -> Any:
        with tf.GradientTape() as tape:
            found = made.losses(made(state, batch, training=True), batch)
            total = sum(found.values())
        gradients = tape.gradient(total, made.trainable_variables)
        optimizer.apply([tf.convert_to_tensor(each) for each in gradients], made.trainable_variables)
        return found["content"]

    first = float(step())
    for _ in range(150):
        last = float(step())
    assert last < 0.7 * first
    products = ops.convert_to_numpy(made.predict(state, batch, MAX_PRODUCTS)["products"])
    for found, truth in zip(products, batch["target_products"], strict=True):
        assert set(found[found > 0]) == set(truth[truth >= FIRST_PRODUCT])


def test_products_beyond_the_decoded_part_of_a_basket_count_as_bought() -> None:
    """A basket of 30 products, of which a few are decoded: its size and all its candidates are what is learned."""
    made, batch, state = head(), random_batch(), states()
    few = batch | {"target_sizes": np.full(4, 1.0, np.float32)}
    many = batch | {"target_sizes": np.full(4, 30.0, np.float32), "target_candidates": batch["candidates"] > 0}
    outputs = made(state, batch)
    for name in ("size", "inclusion"):
        changed = [ops.convert_to_numpy(made.loss_per_example(outputs, each)[name]) for each in (few, many)]
        assert not np.allclose(*changed), name
    # The gradient that moves both upwards: more is expected after a step on `many`.
    variables = [made.size.weights[-1], made.next_symbol.pointer_head.inclusion.bias]
    before = [float(ops.convert_to_numpy(variable).sum()) for variable in variables]
    optimizer = keras.optimizers.RMSprop(0.05)
    with tf.GradientTape() as tape:
        losses = made.losses(made(state, many), many)
        total = losses["size"] + losses["inclusion"]
    optimizer.apply(tape.gradient(total, variables), variables)
    assert all(
        float(ops.convert_to_numpy(variable).sum()) > old for variable, old in zip(variables, before, strict=True)
    )


def test_an_unknown_decoder_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match="decoder 'gru'; known: lstm, transformer"):
        head("gru")
