"""The next-offer model: padding changes nothing and is never predicted, and the file alone suffices to predict."""

import pickle
from dataclasses import asdict, replace
from pathlib import Path

import keras
import numpy as np
import pytest

from models import offer_fields
from models.next_offer import NextOfferModel
from models.next_offer_config import OFFER_ARCHITECTURES
from models.saved_files import load_next_offer_model
from models.special_ids import FIRST_PRODUCT, UNKNOWN

NAMES = ["loan", "card", "house insurance", "savings", "car insurance"]
EDGES = [7.0, 30.0]
N_OFFERS = FIRST_PRODUCT + len(NAMES)
SMALL = {name: replace(config, units=(16,) * len(config.units)) for name, config in OFFER_ARCHITECTURES.items()}

Batch = dict[str, np.ndarray]


def model_of(architecture: str = "offers", names: list[str] = NAMES, seed: int = 0) -> NextOfferModel:
    return NextOfferModel(asdict(SMALL[architecture]) | {"seed": seed}, names, EDGES)


def batch_of(n: int = 6, seed: int = 0) -> Batch:
    """Customers with 1 to 4 events of 1 to 3 offers, and what came next; the last one waits for it."""
    random = np.random.default_rng(seed)
    offers = np.zeros((n, 4, 3), np.int32)
    for row in range(n):
        for event in range(random.integers(1, 5)):
            held = random.permutation(np.arange(FIRST_PRODUCT, N_OFFERS))[: random.integers(1, 4)]
            offers[row, event, : len(held)] = held
    is_event = offers[:, :, :1] > 0
    allowed = np.ones((n, N_OFFERS), np.float32)
    allowed[:, :FIRST_PRODUCT] = 0.0
    target = random.integers(FIRST_PRODUCT, N_OFFERS, n).astype(np.int32)
    target[-1] = 0
    return {
        offer_fields.EVENT_OFFERS: offers,
        offer_fields.EVENT_FEATURE_VALUES: (
            random.normal(size=(n, 4, offer_fields.N_EVENT_FEATURES)) * is_event
        ).astype(np.float32),
        offer_fields.OFFER_FEATURE_VALUES: random.normal(size=(n, N_OFFERS, offer_fields.N_OFFER_FEATURES)).astype(
            np.float32
        ),
        offer_fields.MAY_BE_OFFERED: allowed,
        offer_fields.TARGET_OFFERS: target,
        offer_fields.TARGET_BUCKETS: random.integers(0, 3, n).astype(np.int32) * (target > 0),
        offer_fields.TARGET_SURVIVED: np.tile(np.array([0.0, 0.5, 1.0], np.float32), (n, 1)),
    }


def padded(batch: Batch, events: int, offers: int) -> Batch:
    """The same customers behind more padding."""
    wide = [(0, 0), (0, events), (0, offers)]
    return batch | {
        offer_fields.EVENT_OFFERS: np.pad(batch[offer_fields.EVENT_OFFERS], wide),
        offer_fields.EVENT_FEATURE_VALUES: np.pad(batch[offer_fields.EVENT_FEATURE_VALUES], [*wide[:2], (0, 0)]),
    }


@pytest.mark.parametrize("architecture", SMALL)
def test_a_longer_padding_changes_nothing_and_padding_is_never_predicted(architecture: str) -> None:
    model, batch = model_of(architecture), batch_of()
    joint = np.asarray(model.joint(batch))
    np.testing.assert_allclose(joint, np.asarray(model.joint(padded(batch, 5, 4))), atol=1e-6)
    np.testing.assert_allclose(joint.sum(axis=(1, 2)), 1.0, atol=1e-5)
    assert joint[:, :FIRST_PRODUCT].max() < 1e-12, "padding, unknown offers and the end have no probability"


def test_special_indices_are_not_predicted_even_where_the_batch_allows_them() -> None:
    batch = batch_of()
    batch[offer_fields.MAY_BE_OFFERED][:] = 1.0
    assert np.asarray(model_of().joint(batch))[:, :FIRST_PRODUCT].max() < 1e-12


def test_what_is_owned_has_no_probability_and_the_others_share_it() -> None:
    batch = batch_of()
    batch[offer_fields.MAY_BE_OFFERED][:, FIRST_PRODUCT + 1] = 0.0
    joint = np.asarray(model_of().joint(batch))
    assert joint[:, FIRST_PRODUCT + 1].max() < 1e-12
    np.testing.assert_allclose(joint.sum(axis=(1, 2)), 1.0, atol=1e-5)


def test_the_order_of_a_sets_other_offers_changes_nothing() -> None:
    batch = batch_of()
    turned = batch | {offer_fields.EVENT_OFFERS: batch[offer_fields.EVENT_OFFERS][:, :, [0, 2, 1]]}
    np.testing.assert_allclose(model_of().joint(batch), model_of().joint(turned), atol=1e-6)


@pytest.mark.parametrize("architecture", SMALL)
def test_the_file_holds_names_and_buckets_and_predicts_alike(architecture: str, tmp_path: Path) -> None:
    model, batch = model_of(architecture), batch_of()
    model.save(tmp_path / "model.keras")
    loaded = load_next_offer_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(model.joint(batch), loaded.joint(batch))
    assert (loaded.names, loaded.edges) == (NAMES, EDGES)
    assert pickle.loads(pickle.dumps((loaded.names, loaded.edges))) == (NAMES, EDGES), "they are sent to executors"
    found = loaded.indices_of(np.array(["card", "yacht", "loan", "pony"]))
    assert found.tolist() == [FIRST_PRODUCT + 1, UNKNOWN, FIRST_PRODUCT, UNKNOWN], "unknown offers share one index"


def test_a_file_of_another_model_is_refused_by_name(tmp_path: Path) -> None:
    other = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)])
    other.save(tmp_path / "other.keras")
    with pytest.raises(ValueError, match="holds a Sequential"):
        load_next_offer_model(tmp_path / "other.keras")
    (tmp_path / "text.keras").write_text("no model")
    with pytest.raises(ValueError, match="no Keras model file"):
        load_next_offer_model(tmp_path / "text.keras")


@pytest.mark.parametrize("architecture", ["offers", "offers-lstm"])
def test_a_few_examples_are_learned_by_heart(architecture: str) -> None:
    import tensorflow as tf

    keras.utils.set_random_seed(0)
    model, batch = model_of(architecture), batch_of(5)
    optimizer = keras.optimizers.Adam(0.02)

    @tf.function
    def step() -> tf.Tensor:
        with tf.GradientTape() as tape:
            losses = model.losses(batch, training=False)
        optimizer.apply(tape.gradient(losses["total"], model.trainable_variables), model.trainable_variables)
        return losses["total"]

    first, *_, last = [float(step()) for _ in range(150)]
    assert last < 0.2 < first
    came = batch[offer_fields.TARGET_OFFERS] > 0
    best = np.asarray(model.joint(batch)).sum(axis=2).argmax(axis=1)
    np.testing.assert_array_equal(best[came], batch[offer_fields.TARGET_OFFERS][came])


def test_who_still_waits_counts_by_the_probability_of_coming_later() -> None:
    model, batch = model_of(), batch_of()
    losses = model.next_offer.loss_per_example(model.next_offer(model(batch), batch), batch)
    buckets = np.asarray(model.joint(batch)).sum(axis=1)
    assert float(losses["offer"][-1]) == 0.0
    later = (buckets[-1] * batch[offer_fields.TARGET_SURVIVED][-1]).sum()
    assert float(losses["days"][-1]) == pytest.approx(-np.log(later), rel=1e-4)


def test_an_example_that_teaches_no_days_teaches_its_offer_alone() -> None:
    model, batch = model_of(), batch_of()
    batch[offer_fields.TARGET_BUCKETS][0] = -1
    losses = model.next_offer.loss_per_example(model.next_offer(model(batch), batch), batch)
    assert float(losses["days"][0]) == 0.0 < float(losses["offer"][0])


def test_weights_of_another_night_are_matched_by_name() -> None:
    old, new = model_of(seed=1), model_of(names=["savings", "new", "loan"], seed=2)
    start = np.asarray(new.backbone.tops).copy()
    new.warm_start_from(old)
    vectors, theirs = np.asarray(new.backbone.tops), np.asarray(old.backbone.tops)
    np.testing.assert_array_equal(vectors[FIRST_PRODUCT], theirs[FIRST_PRODUCT + NAMES.index("savings")])
    np.testing.assert_array_equal(vectors[FIRST_PRODUCT + 2], theirs[FIRST_PRODUCT])
    np.testing.assert_array_equal(vectors[FIRST_PRODUCT + 1], start[FIRST_PRODUCT + 1])
    kernel, their_kernel = np.asarray(new.next_offer.readout.kernel), np.asarray(old.next_offer.readout.kernel)
    np.testing.assert_array_equal(kernel[:, FIRST_PRODUCT + 2], their_kernel[:, FIRST_PRODUCT])
    with pytest.raises(ValueError, match="one architecture"):
        new.warm_start_from(model_of("offers-lstm"))
