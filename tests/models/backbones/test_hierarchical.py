"""The hierarchical backbone: it serialises, has the width it states, ignores padding, and learns."""

import keras
import numpy as np
import pytest
from keras import ops

from models.backbones.hierarchical import HierarchicalBackbone
from tests.models.batches import N_CUSTOMERS, N_PRODUCTS, padded, random_batch, rows

SIZES = {"product_units": 8, "customer_units": 4, "seed": 3}


def backbone(encoder: str = "lstm", **options: int) -> HierarchicalBackbone:
    made = HierarchicalBackbone(
        N_PRODUCTS,
        N_CUSTOMERS,
        session_units=() if encoder == "mean" else (8,),
        behaviour_units=(12,),
        session_encoder=encoder,
        behaviour_encoder="lstm" if encoder == "mean" else encoder,
        **(SIZES | options),
    )
    made.build()
    return made


@pytest.fixture(params=["lstm", "transformer", "mean"])
def made(request: pytest.FixtureRequest) -> HierarchicalBackbone:
    """A small backbone of each kind of encoder."""
    return backbone(request.param)


def test_it_survives_serialisation(made: HierarchicalBackbone) -> None:
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(made))
    if not again.built:
        again.build()
    assert again.get_config() == made.get_config()
    for ours, theirs in zip(made.weights, again.weights, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(ours), ops.convert_to_numpy(theirs))


def test_the_state_has_the_width_that_heads_are_given(made: HierarchicalBackbone) -> None:
    assert made(random_batch(examples=5)).shape == (5, made.output_units)


def test_padding_changes_no_state(made: HierarchicalBackbone) -> None:
    batch = random_batch()
    np.testing.assert_allclose(made(padded(batch)), made(batch), rtol=1e-4, atol=1e-6)


def test_a_state_does_not_depend_on_other_examples(made: HierarchicalBackbone) -> None:
    batch = random_batch(examples=6)
    np.testing.assert_allclose(made(rows(batch, [4]))[0], made(batch)[4], rtol=1e-4, atol=1e-6)


def test_the_next_basket_changes_no_state(made: HierarchicalBackbone) -> None:
    batch = random_batch()
    targets = {name: np.zeros_like(array) for name, array in batch.items() if name.startswith("target_")}
    np.testing.assert_array_equal(made(batch | targets), made(batch))


def test_every_weight_gets_a_gradient(made: HierarchicalBackbone) -> None:
    import tensorflow as tf

    batch = random_batch(examples=8)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(made(batch, training=True) ** 2)
    gradients = tape.gradient(total, made.trainable_weights)
    # The vectors of products serve the scores of heads as well, by their biases, which only heads read.
    silent = [
        weight.path
        for weight, gradient in zip(made.trainable_weights, gradients, strict=True)
        if weight is not made.products.bias and (gradient is None or not np.any(tf.convert_to_tensor(gradient)))
    ]
    # The vector of the unseen customer starts at zero, so the square above has no slope there.
    assert set(silent) <= {made.customers.unseen.path}


def test_without_customers_the_state_is_that_of_the_baskets() -> None:
    batch = random_batch()
    other = batch | {"customer_ids": np.zeros_like(batch["customer_ids"])}
    alone = backbone(customer_units=0)
    np.testing.assert_array_equal(alone(batch), alone(other))
    assert np.any(backbone()(batch) != backbone()(other))


def test_an_unknown_encoder_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match="session_encoder 'gru'; known: lstm, transformer, mean"):
        backbone("gru")
