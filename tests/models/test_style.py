"""The model of style: its losses, its size, padding, time, and what own purchases add; and vectors of articles."""

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from models.item_fields import BOUGHT, HAS_IMAGE, IDS, IMAGES, NUMBERS, TAGS
from models.item_vector_config import ItemVectorConfig
from models.item_vectors import ItemVectorModel
from models.saved_files import load_item_vector_model, load_style_model
from models.style import StyleModel
from models.style_config import LOSSES, PAPER, STYLE_ARCHITECTURES, StyleConfig, architecture_name
from models.style_fields import (
    CANDIDATE_OWN,
    CANDIDATE_SIGNALS,
    CANDIDATE_VECTORS,
    CANDIDATE_WEIGHTS,
    N_TIME_FEATURES,
    PAST_VECTORS,
    PROFILES,
    ROWS,
    STEP_TIMES,
)

SMALL = StyleConfig(units=12, vector_units=6, negatives=3, signal_units=8, taste_units=2, dropout=0.0)
N_SIGNALS, N_OWN = 4, 3


def _batch(rows: int = 5, steps: int = 4, seed: int = 0) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    batch = {
        PAST_VECTORS: random.normal(size=(2, steps, 6)),
        STEP_TIMES: random.normal(size=(2, steps, N_TIME_FEATURES)),
        PROFILES: random.normal(size=(2, steps, 3, 6)),
        CANDIDATE_VECTORS: random.normal(size=(rows, 5, 6)),
        CANDIDATE_SIGNALS: random.normal(size=(rows, 5, N_SIGNALS)),
        CANDIDATE_OWN: random.normal(size=(rows, 5, N_OWN)),
        CANDIDATE_WEIGHTS: np.ones((rows, 5)),
    }
    found = {name: array.astype(np.float32) for name, array in batch.items()}
    return found | {ROWS: random.integers(0, 2 * steps, rows).astype(np.int32)}


def _model(config: StyleConfig = SMALL) -> StyleModel:
    return StyleModel(asdict(config), N_SIGNALS, N_OWN)


@pytest.mark.parametrize("loss", LOSSES)
def test_losses_fall_as_a_bought_article_scores_higher_and_ignore_what_has_no_weight(loss: str) -> None:
    from models.heads.style_losses import STYLE_LOSSES

    others, weights = np.array([[0.3, -1.0, 50.0]], np.float32), np.array([[1.0, 1.0, 0.0]], np.float32)
    values = [
        float(np.asarray(STYLE_LOSSES[loss](np.array([[score]], np.float32), others, weights))[0, 0])
        for score in (-2.0, 0.0, 2.0)
    ]
    assert values == sorted(values, reverse=True)
    pairs = np.array([0.3, -1.0])
    expected = {
        "sigmoid": np.log(2.0) + np.log1p(np.exp(pairs)).mean(),
        "softmax": np.log(1.0 + np.exp(pairs).sum()),
        "sigmoid_rank": np.log1p(np.exp(pairs)).mean(),
    }
    assert values[1] == pytest.approx(expected[loss], rel=1e-5)


def test_a_style_reads_no_later_step_and_no_padding() -> None:
    model, batch = _model(), _batch()
    whole = model(batch)
    cut = model({name: array[:, :2] for name, array in batch.items() if name in (PAST_VECTORS, STEP_TIMES, PROFILES)})
    for of_whole, of_cut in zip(whole, cut, strict=True):
        np.testing.assert_allclose(np.asarray(of_whole)[:, :2], np.asarray(of_cut), rtol=1e-5, atol=1e-6)


def test_intents_are_products_of_vectors_and_what_was_never_bought_has_no_own_part() -> None:
    model, batch = _model(), _batch()
    batch[CANDIDATE_OWN][..., 0] = 0.0
    styles = model(batch)
    style = np.asarray(styles.style).reshape(-1, 6)[batch[ROWS]]
    taste = np.asarray(styles.taste).reshape(-1, 3)[batch[ROWS]]
    signals = np.asarray(model.signal_vectors(batch[CANDIDATE_SIGNALS]))
    expected = np.einsum("rd,rcd->rc", style, batch[CANDIDATE_VECTORS]) + np.einsum("re,rce->rc", taste, signals)
    np.testing.assert_allclose(np.asarray(model.intents(batch)), expected, rtol=1e-4, atol=1e-5)


def test_a_purchase_counts_alike_in_whatever_batch_it_is() -> None:
    config = replace(SMALL, negatives=3)
    model, batch = _model(config), _batch(rows=6)
    batch[ROWS] = np.array([0, 4, 5, 6, 7, 7], np.int32)
    steps, rows = (PAST_VECTORS, STEP_TIMES, PROFILES), (0, 1)
    parts = []
    for customer, of_customer in zip(rows, (slice(0, 1), slice(1, 6)), strict=True):
        part = {name: array[of_customer] for name, array in batch.items() if name not in steps}
        part |= {name: batch[name][customer : customer + 1] for name in steps}
        part[ROWS] = part[ROWS] - np.int32(4 * customer)
        parts.append(float(np.asarray(model.losses(part)["total"])))
    assert float(np.asarray(model.losses(batch)["total"])) == pytest.approx(np.mean(parts), rel=1e-4)


@pytest.mark.parametrize("name", STYLE_ARCHITECTURES)
def test_a_model_has_under_a_million_weights_however_many_customers_and_articles(name: str) -> None:
    assert StyleModel(asdict(STYLE_ARCHITECTURES[name]), 10, 8).count_params() < 1_000_000


def test_the_paper_reads_no_signals(tmp_path: Path) -> None:
    config = replace(PAPER, units=12, vector_units=6, negatives=3)
    model, batch = _model(config), _batch()
    for name in (PROFILES, CANDIDATE_SIGNALS, CANDIDATE_OWN):
        del batch[name]
    assert np.isfinite(float(np.asarray(model.losses(batch)["total"])))
    model.save(tmp_path / "model.keras")
    loaded = load_style_model(tmp_path / "model.keras")
    assert loaded.config == config
    np.testing.assert_array_equal(np.asarray(loaded.intents(batch)), np.asarray(model.intents(batch)))
    with pytest.raises(ValueError, match="not a ItemVectorModel"):
        load_item_vector_model(tmp_path / "model.keras")


def test_a_shared_default_stands_for_the_usual_architecture() -> None:
    assert architecture_name("lens") == "styles"
    with pytest.raises(ValueError, match="did you mean 'styles-paper'"):
        architecture_name("style-paper")


def test_article_vectors_depend_on_no_order_of_tags_and_no_missing_image(tmp_path: Path) -> None:
    sizes = {"n_tags": 9, "n_numbers": 2, "image_shape": (4,), "n_ids": 3, "n_customers": 7}
    model = ItemVectorModel(asdict(ItemVectorConfig(units=8, vector_units=6, tag_units=5)), **sizes)
    random = np.random.default_rng(0)
    batch = {
        TAGS: np.array([[1, 4, 0], [4, 1, 0]], np.int32),
        NUMBERS: np.ones((2, 2), np.float32),
        IMAGES: random.normal(size=(2, 4)).astype(np.float32),
        HAS_IMAGE: np.zeros(2, np.float32),
        IDS: np.zeros(2, np.int32),
        BOUGHT: np.zeros((2, 7), np.float32),
    }
    vectors = np.asarray(model(batch))
    np.testing.assert_allclose(vectors[0], vectors[1], rtol=1e-5)
    with_image = np.asarray(model(batch | {HAS_IMAGE: np.ones(2, np.float32)}))
    assert not np.allclose(with_image[0], with_image[1])
    known = np.asarray(model(batch | {IDS: np.array([0, 2], np.int32)}))
    np.testing.assert_allclose(known[0], vectors[0], rtol=1e-6)
    assert not np.allclose(known[1], vectors[1])
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(np.asarray(load_item_vector_model(tmp_path / "model.keras")(batch)), vectors)


def test_pictures_are_read_by_a_network_that_is_saved_with_the_model(tmp_path: Path) -> None:
    sizes = {"n_tags": 0, "n_numbers": 1, "image_shape": (16, 16, 3), "n_ids": 0, "n_customers": 2}
    model = ItemVectorModel(asdict(ItemVectorConfig(units=8, vector_units=6, tag_units=5)), **sizes)
    batch = {
        TAGS: np.zeros((3, 1), np.int32),
        NUMBERS: np.zeros((3, 1), np.float32),
        IMAGES: np.random.default_rng(0).random((3, 16, 16, 3)).astype(np.float32),
        HAS_IMAGE: np.array([1, 1, 0], np.float32),
        IDS: np.zeros(3, np.int32),
    }
    vectors = np.asarray(model(batch))
    assert not np.allclose(vectors[0], vectors[1])
    model.save(tmp_path / "model.keras")
    np.testing.assert_allclose(np.asarray(load_item_vector_model(tmp_path / "model.keras")(batch)), vectors, rtol=1e-6)
