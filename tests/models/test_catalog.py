"""The paper's architectures: their sizes, and that an untrained one answers with the popularity list."""

import keras
import numpy as np
import pytest
from keras import ops

from models.catalog import ARCHITECTURES, build
from models.fields import N_BASKET_FEATURES, N_CANDIDATE_FEATURES, N_RHYTHM_FEATURES
from models.heads.time_to_next import N_INTERVALS
from models.lens import Lens
from models.special_ids import END, FIRST_PRODUCT
from tests.models.batches import N_CUSTOMERS, N_PRODUCTS, random_batch

COUNTS = np.r_[0, 50, 100, np.arange(N_PRODUCTS - FIRST_PRODUCT, 0, -1)]


def built(architecture: str) -> Lens:
    keys = np.arange(N_PRODUCTS, dtype=np.int64) * (np.arange(N_PRODUCTS) >= FIRST_PRODUCT)
    return build(
        architecture, product_keys=keys, customer_keys=np.arange(N_CUSTOMERS, dtype=np.int64), product_counts=COUNTS
    )


PARTS = {
    "session_encoder": "backbone",
    "behaviour_encoder": "backbone",
    "products": "backbone",
    "customers": "backbone",
    "decoder": "basket",
    "quantity": "basket",
    "size": "basket",
}


def part(model: Lens, name: str) -> keras.layers.Layer:
    """A layer of the backbone or of the basket head."""
    if name == "readout":
        return model.basket.next_symbol.readout
    return getattr(getattr(model, PARTS[name]), name) if name in PARTS else getattr(model, name)


def lstm(inputs: int, units: int) -> int:
    return 4 * units * (inputs + units + 1)


def dense(inputs: int, units: int) -> int:
    return units * (inputs + 1)


def test_lens1000_has_the_layers_of_table_1() -> None:
    model, embedding, customer = built("lens1000"), 128, 32
    context = 2 * 256 + customer
    expected = {
        "session_encoder": 2 * lstm(embedding + 1, 64),
        "behaviour_encoder": 2 * lstm(2 * 64 + N_BASKET_FEATURES, 256),
        "decoder": lstm(embedding, 512) + dense(context, 2 * 512),
        "readout": dense(512 + context, embedding),
        "products": N_PRODUCTS * (embedding + 1),
        "customers": (N_CUSTOMERS + 1) * customer,
        "quantity": dense(512 + context + embedding, 1),
        "size": dense(context, 1),
        "time_to_next": dense(context, 1),
    }
    trainable = {name: sum(int(np.prod(w.shape)) for w in part(model, name).trainable_weights) for name in expected}
    assert trainable == expected
    assert sum(expected.values()) == sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


def test_lens2000_has_the_layers_of_table_1() -> None:
    model = built("lens2000")
    trainable = sum(int(np.prod(weight.shape)) for weight in model.backbone.behaviour_encoder.trainable_weights)
    assert trainable == 2 * lstm(2 * 256 + N_BASKET_FEATURES, 256) + 2 * lstm(2 * 256, 256)
    assert [layer.units for layer in model.basket.decoder.stack] == [512, 128]


def test_lens_adds_pointer_and_hazard_heads_to_lens1000() -> None:
    model, published = built("lens"), built("lens1000")
    decoder_output = 512 + 2 * 256 + 32
    standardised = 2 * N_CANDIDATE_FEATURES
    head = standardised + dense(N_CANDIDATE_FEATURES, 64) + dense(64, 64) + 64 + dense(64, 1) + dense(decoder_output, 1)
    hazards = dense(2 * 256 + 32, N_INTERVALS) - dense(2 * 256 + 32, 1)
    rhythm = 2 * N_RHYTHM_FEATURES + dense(N_RHYTHM_FEATURES, 32) + dense(32, 32) + dense(32, N_INTERVALS)
    of_own_units = 1
    assert model.count_params() - published.count_params() == head + hazards + rhythm + of_own_units


def test_each_module_of_lens_transformer_is_blocks_of_attention() -> None:
    model = built("lens_transformer")

    def blocks(units: int, number: int) -> int:
        norms = 2 * 2 * units
        return number * (dense(units, 3 * units) + dense(units, units) + 2 * 4 * units**2 + 5 * units + norms)

    expected = {
        "session_encoder": dense(128 + 1, 128) + 128 + blocks(128, 1) + 2 * 128,
        "behaviour_encoder": dense(128 + N_BASKET_FEATURES, 256) + 256 + blocks(256, 2) + 2 * 256,
        "decoder": dense(256 + 32, 256) + dense(128, 256) + blocks(256, 2) + 2 * 256,
    }
    assert {name: part(model, name).count_params() for name in expected} == expected


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_an_untrained_model_starts_from_popularity(architecture: str) -> None:
    model = built(architecture)
    context = model(random_batch())
    shares = ops.convert_to_numpy(model.backbone.products.bias)
    expected = np.log(COUNTS[END:] / COUNTS[END:].sum())
    np.testing.assert_allclose(shares[END:], expected, rtol=1e-5)
    assert context.shape[-1] == model.backbone.behaviour_encoder.output_units + 32


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match="lens1000, lens2000"):
        built("lens3000")
