"""Every part on its own: it serialises, and padding is ignored."""

import gc
import weakref
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from models.decoders.decoder import Decoder
from models.decoders.recurrent_decoder import RecurrentDecoder
from models.decoders.transformer_decoder import TransformerDecoder
from models.encoders.encoder import Encoder
from models.encoders.mean_encoder import MeanEncoder
from models.encoders.recurrent_encoder import RecurrentEncoder
from models.encoders.transformer_encoder import TransformerEncoder
from models.heads.mean import MeanHead
from models.heads.next_symbol import NextSymbol
from models.heads.pointer import PointerHead
from models.heads.rhythm import RhythmHead
from models.heads.time_to_next import HazardHead, RegressionHead
from models.heads.tree_scores import TreeScores
from models.layers.attention import AttentionBlock
from models.layers.customer_embedding import CustomerEmbedding
from models.layers.known_keys import KnownKeys
from models.layers.product_embedding import ProductEmbedding
from models.special_ids import FIRST_PRODUCT

PARTS = [
    RecurrentEncoder(5, (4, 3)),
    TransformerEncoder(5, (8, 8), ordered=False),
    MeanEncoder(5),
    RecurrentDecoder(5, 6, (4, 3)),
    TransformerDecoder(5, 6, (8, 8)),
    MeanHead(5, start=3.0),
    HazardHead(5),
    HazardHead(5, rhythm_units=3),
    RhythmHead(4, 3, 6),
    RegressionHead(5, "mae"),
    CustomerEmbedding(7, 3, attribute_buckets=4),
    ProductEmbedding(9, 4),
    KnownKeys(9, 7),
    AttentionBlock(8),
    PointerHead(5, 4),
    PointerHead(5, 4, n_trees=2, tree_levels=3),
    TreeScores(2, 3),
    NextSymbol(ProductEmbedding(9, 4), 6, pointer_units=3),
    NextSymbol(ProductEmbedding(9, 4), 6, pointer_units=3, trees=(2, 3)),
]


@pytest.mark.parametrize("part", PARTS, ids=lambda part: type(part).__name__)
def test_a_part_survives_serialisation(part: keras.layers.Layer) -> None:
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(part))
    for each in (part, again):
        if not each.built:
            each.build()
    assert again.get_config() == part.get_config()
    assert [weight.shape for weight in again.weights] == [weight.shape for weight in part.weights]
    for ours, theirs in zip(part.trainable_weights, again.trainable_weights, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(ours), ops.convert_to_numpy(theirs))


@pytest.mark.parametrize(
    "encoder",
    [RecurrentEncoder(3, (4, 3)), TransformerEncoder(3, (8, 8)), TransformerEncoder(3, (8,), False), MeanEncoder(3)],
    ids=["lstm", "transformer", "transformer of sets", "mean"],
)
def test_an_encoder_ignores_padding(encoder: Encoder) -> None:
    encoder.build()
    inputs = np.random.default_rng(0).normal(size=(2, 5, 3)).astype(np.float32)
    mask = np.arange(5) < np.array([[2], [4]])
    other = np.where(mask[..., None], inputs, 99.0).astype(np.float32)
    _, state = encoder(inputs, mask=mask)
    _, same = encoder(other, mask=mask)
    _, alone = encoder(inputs[:1, :2], mask=mask[:1, :2])
    assert state.shape == (2, encoder.output_units)
    np.testing.assert_allclose(state, same, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(state[:1], alone, rtol=1e-4, atol=1e-6)


def test_layers_that_were_copied_outlive_the_encoder_s_making(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or loading a file fails now and then: Keras takes another layer at the same address for the one that is gone."""
    made: list[weakref.ref[keras.layers.Layer]] = []
    lstm = keras.layers.LSTM

    def make(*args: Any, **kwargs: Any) -> keras.layers.Layer:
        layer = lstm(*args, **kwargs)
        made.append(weakref.ref(layer))
        return layer

    monkeypatch.setattr(keras.layers, "LSTM", make)
    encoder = RecurrentEncoder(5, (4, 3))
    gc.collect()
    assert [layer() is not None for layer in made] == [True, True]
    assert len(encoder.trainable_variables) == 0, "not built: what was copied is none of its own parts"
    encoder.build()
    assert len(encoder.trainable_variables) == 2 * 2 * 3


@pytest.mark.parametrize(
    "decoder", [RecurrentDecoder(3, 2, (4, 5)), TransformerDecoder(3, 2, (8, 8))], ids=["lstm", "transformer"]
)
def test_steps_of_the_decoder_agree_with_teacher_forcing(decoder: Decoder) -> None:
    decoder.build()
    random = np.random.default_rng(0)
    inputs, context = (random.normal(size=shape).astype(np.float32) for shape in ((2, 6, 3), (2, 2)))
    whole = ops.convert_to_numpy(decoder(inputs, context))
    states: list[Any] = decoder.initial_states(context)
    for position in range(6):
        output, states = decoder.step(inputs[:, position], states)
        np.testing.assert_allclose(output, whole[:, position], rtol=1e-4, atol=1e-6)


def test_special_indices_but_the_end_are_never_scored() -> None:
    products = ProductEmbedding(9, 4)
    products.build()
    scores = ops.convert_to_numpy(products.logits(np.ones((1, 4), np.float32)))[0]
    assert np.all(scores[: FIRST_PRODUCT - 1] < -1e8)
    assert np.all(scores[FIRST_PRODUCT - 1 :] > -1e3)


def test_the_log_likelihood_and_its_gradient_are_those_of_the_scores() -> None:
    products = ProductEmbedding(40, 4, seed=1)
    products.build()
    random = np.random.default_rng(0)
    products.bias.assign(random.normal(size=40))
    targets = np.array([2, 7, 7, 39, 12], np.int32)
    states = tf.constant(random.normal(size=(5, 4)), tf.float32)
    weights = tf.constant([1.0, 0.5, -2.0, 3.0, 0.0])

    def plainly(states: Any, targets: Any) -> Any:
        shares = ops.softmax(products.logits(states))
        return ops.log(ops.take_along_axis(shares, targets[:, None], axis=-1)[:, 0])

    found = []
    for way in (products.log_likelihood, plainly):
        with tf.GradientTape() as tape:
            tape.watch(states)
            value = way(states, targets)
            total = tf.reduce_sum(weights * value)
        watched = [states, products.vectors.value, products.bias.value]
        found.append([value, *(tf.convert_to_tensor(each) for each in tape.gradient(total, watched))])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)
        assert np.any(theirs)


def test_a_customer_who_was_not_seen_has_the_defined_vector() -> None:
    customers = CustomerEmbedding(4, 3)
    customers.build()
    vectors = ops.convert_to_numpy(customers(np.array([0, 2], np.int32), np.zeros((2, 0), np.int32)))
    np.testing.assert_array_equal(vectors[0], np.zeros(3))
    assert np.any(vectors[1])


def test_attributes_add_their_vectors_whoever_has_them_and_in_any_order() -> None:
    customers = CustomerEmbedding(4, 3, attribute_buckets=10)
    customers.build()
    customers.of_attributes.assign(np.arange(30, dtype=np.float32).reshape(10, 3))
    ids = np.array([0, 0, 0, 2, 2], np.int32)
    attributes = np.array([[0, 0], [7, 25], [25, 7], [7, 0], [0, 0]], np.int32)
    vectors = ops.convert_to_numpy(customers(ids, attributes))
    np.testing.assert_array_equal(vectors[0], np.zeros(3))
    np.testing.assert_array_equal(vectors[1], [36.0, 38.0, 40.0])  # rows 7 and 5
    np.testing.assert_array_equal(vectors[2], vectors[1])
    np.testing.assert_allclose(vectors[3] - vectors[4], [21.0, 22.0, 23.0], rtol=1e-5)


def test_attributes_without_units_to_add_to_are_refused() -> None:
    with pytest.raises(ValueError, match="customer_units"):
        CustomerEmbedding(4, 0, attribute_buckets=10)


def test_the_best_mean_is_the_mean() -> None:
    head, observed = MeanHead(1), np.array([1.0, 1.0, 4.0, 6.0], np.float32)
    losses = [float(ops.mean(head.loss(np.float32(mean), observed))) for mean in (2.5, 3.0, 3.5)]
    assert losses[1] == min(losses)
    assert float(head.loss(np.float32(3.0), np.float32(3.0))) == pytest.approx(0.0, abs=1e-6)


def test_keys_of_another_number_are_refused() -> None:
    with pytest.raises(ValueError, match="product_keys"):
        KnownKeys(9, 7).assign(np.zeros(8, np.int64), np.zeros(7, np.int64))
