"""The composed model: padding changes nothing, it saves, learns, and writes each product once."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

from models.config import LensConfig
from models.lens import Lens
from models.saved_files import load_model
from models.special_ids import FIRST_PRODUCT
from tests.models.batches import padded, random_batch, rows, still_waiting
from tests.models.conftest import POINTING, TINY

MAX_PRODUCTS = 12


Answer = Callable[[Lens, dict[str, np.ndarray]], dict[str, np.ndarray]]


def losses_of(lens: Lens, batch: dict[str, np.ndarray]) -> dict[str, float]:
    return {name: float(value) for name, value in lens.losses(batch).items()}


def decoded(lens: Lens, batch: dict[str, np.ndarray], max_products: int = MAX_PRODUCTS) -> dict[str, np.ndarray]:
    return {name: ops.convert_to_numpy(value) for name, value in lens.decode(batch, max_products).items()}


def best(lens: Lens, batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: ops.convert_to_numpy(value) for name, value in lens.best_basket(batch, MAX_PRODUCTS).items()}


def train(lens: Lens, batch: dict[str, np.ndarray], steps: int) -> None:
    """Steps of gradient descent by the backend at hand (TensorFlow)."""
    import tensorflow as tf

    optimizer = keras.optimizers.Adam(0.01)
    optimizer.build(lens.trainable_variables)

    @tf.function
    def step() -> None:
        with tf.GradientTape() as tape:
            total = lens.losses(batch, training=True)["total"]
        gradients = tape.gradient(total, lens.trainable_variables)
        optimizer.apply([tf.convert_to_tensor(each) for each in gradients], lens.trainable_variables)

    for _ in range(steps):
        step()


def first_probabilities(lens: Lens, batch: dict[str, np.ndarray]) -> np.ndarray:
    """Probability of each symbol to be decoded first; float32 [B, V]."""
    candidates = lens.basket.next_symbol.candidates(batch)
    first: np.ndarray = ops.convert_to_numpy(lens.basket._first_step(lens(batch), candidates).probabilities)
    return first


def test_what_is_generated_or_copied_is_one_distribution(make_lens: Callable[..., Lens]) -> None:
    np.testing.assert_allclose(first_probabilities(make_lens(POINTING), random_batch()).sum(axis=1), 1.0, rtol=1e-5)


def test_nothing_but_candidates_is_copied(make_lens: Callable[..., Lens]) -> None:
    lens, batch = make_lens(POINTING), random_batch()
    lens.basket.next_symbol.gate.bias.assign([100.0])  # copy always
    own = np.zeros((len(batch["candidates"]), lens.n_products), bool)
    np.put_along_axis(own, batch["candidates"], True, axis=1)
    found = first_probabilities(lens, batch)
    assert np.all(found[~own | (np.arange(lens.n_products) < FIRST_PRODUCT)] < 1e-6)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-5)


def test_a_customer_without_candidates_is_generated_for(make_lens: Callable[..., Lens]) -> None:
    lens, batch = make_lens(POINTING), random_batch()
    lens.basket.next_symbol.gate.bias.assign([100.0])
    none = batch | {name: np.zeros_like(batch[name]) for name in ("candidates", "candidate_features")}
    np.testing.assert_allclose(first_probabilities(lens, none).sum(axis=1), 1.0, rtol=1e-5)
    assert np.isfinite(losses_of(lens, none)["total"])


def test_writing_the_true_basket_step_by_step_has_the_probability_that_training_sees(
    make_lens: Callable[..., Lens],
) -> None:
    lens = make_lens(POINTING)
    batch = rows(random_batch(examples=4), [0])
    head = lens.basket
    candidates, state = head.next_symbol.candidates(batch), lens(batch)
    _, states, found = head._first_step(state, candidates)
    allowed, log_likelihood = np.ones((1, lens.n_products), np.float32), 0.0
    for symbol in batch["target_products"][0]:
        if symbol == 0:
            break
        log_likelihood += float(np.log(ops.convert_to_numpy(found)[0, symbol]))
        allowed[0, symbol] = 0.0
        output, states = head.decoder.step(head.products(np.array([symbol])), states)
        found = head.next_symbol(ops.concatenate([output, state], axis=-1), candidates, allowed)
    assert losses_of(lens, batch)["content"] == pytest.approx(-log_likelihood, rel=1e-4)


def test_a_product_that_always_comes_back_is_expected_with_near_certainty(make_lens: Callable[..., Lens]) -> None:
    lens, batch = make_lens(POINTING), random_batch()
    back = batch["target_products"][np.arange(4), 0]
    candidates = np.column_stack([back, batch["candidates"][:, 1:] * 0]).astype(np.int32)
    train(lens, batch | {"candidates": candidates, "target_candidates": candidates > 0}, 150)
    batch = batch | {"candidates": candidates}
    ranked, probabilities = (ops.convert_to_numpy(each) for each in lens.rank(batch, 1))
    np.testing.assert_array_equal(ranked[:, 0], back)
    assert np.all(probabilities > 0.9)


@pytest.mark.parametrize("seed", range(3))
def test_padding_changes_no_loss(lens: Lens, seed: int) -> None:
    batch = random_batch(seed)
    assert losses_of(lens, padded(batch)) == pytest.approx(losses_of(lens, batch), rel=1e-5)


@pytest.mark.parametrize("answer", [decoded, best])
def test_padding_changes_no_prediction(lens: Lens, answer: Answer) -> None:
    batch = random_batch()
    for name, values in answer(lens, padded(batch)).items():
        np.testing.assert_allclose(values, answer(lens, batch)[name], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("answer", [decoded, best])
def test_an_example_does_not_depend_on_its_neighbours(lens: Lens, answer: Answer) -> None:
    batch = random_batch(examples=6)
    together, alone = answer(lens, batch), answer(lens, rows(batch, [4]))
    for name, values in alone.items():
        np.testing.assert_allclose(values[0], together[name][4], rtol=1e-4, atol=1e-6)


def test_the_loss_is_the_mean_over_examples(lens: Lens) -> None:
    batch = random_batch(examples=4)
    parts = [losses_of(lens, rows(batch, [row])) for row in range(4)]
    for name, value in losses_of(lens, batch).items():
        assert value == pytest.approx(np.mean([part[name] for part in parts]), rel=1e-4)


def test_a_basket_still_to_come_teaches_the_days_alone(make_lens: Callable[..., Lens]) -> None:
    lens = make_lens(POINTING)
    batch = still_waiting(random_batch(examples=4), [1, 3])
    waiting = losses_of(lens, rows(batch, [1, 3]))
    assert waiting["gap"] > 0
    assert all(value == 0 for name, value in waiting.items() if name not in ("gap", "total"))
    both, ended = losses_of(lens, batch), losses_of(lens, rows(batch, [0, 2]))
    for name in set(both) - {"gap", "total"}:
        assert both[name] == pytest.approx(ended[name] / 2, rel=1e-4)


def test_a_model_of_time_alone_ignores_what_is_bought_next(make_lens: Callable[..., Lens]) -> None:
    lens = make_lens(replace(TINY, content_weight=0.0))
    batch = random_batch()
    losses = losses_of(lens, batch)
    assert set(losses) == {"gap", "total"}
    assert losses_of(lens, still_waiting(batch, [0, 1, 2, 3]) | {"target_observed": batch["target_observed"]}) == losses


def test_a_model_of_time_alone_ranks_nothing_in_validation(make_lens: Callable[..., Lens]) -> None:
    assert make_lens(replace(POINTING, content_weight=0.0)).validation_metrics(random_batch()) == {}


def test_every_weight_gets_a_gradient(lens: Lens) -> None:
    import tensorflow as tf

    if lens.basket.next_symbol.copies and (trees := lens.basket.next_symbol.pointer_head.trees) is not None:
        trees.values.assign(np.random.default_rng(0).normal(size=trees.values.shape))  # as if they were grown
    with tf.GradientTape() as tape:
        total = lens.losses(random_batch(examples=8), training=True)["total"]
    gradients = tape.gradient(total, lens.trainable_variables)
    silent = [
        weight.path
        for weight, gradient in zip(lens.trainable_variables, gradients, strict=True)
        if 0 not in weight.shape and (gradient is None or not np.any(tf.convert_to_tensor(gradient)))
    ]
    assert silent == []


def test_it_learns_a_tiny_batch_by_heart(lens: Lens) -> None:
    batch = random_batch()
    train(lens, batch, 150)
    found = decoded(lens, batch)
    for row, truth in enumerate(batch["target_products"]):
        true_products = set(truth[truth >= FIRST_PRODUCT])
        chosen = found["products"][row]
        assert set(chosen[chosen > 0]) == true_products
    chosen = found["products"] > 0
    np.testing.assert_allclose(found["quantities"][chosen], 2.0, rtol=0.2)
    np.testing.assert_allclose(found["gap_days"], batch["target_gap_days"], rtol=0.3, atol=1.0)


@pytest.mark.parametrize("config", [TINY, POINTING], ids=["as_published", "repeating"])
@pytest.mark.parametrize("seed", range(3))
def test_no_product_is_written_twice(make_lens: Callable[..., Lens], seed: int, config: LensConfig) -> None:
    lens = make_lens(replace(config, seed=seed))
    for basket in decoded(lens, random_batch(seed), max_products=30)["products"]:
        chosen = basket[basket > 0]
        assert len(set(chosen)) == len(chosen)


def test_beams_write_each_product_once_and_nothing_after_the_end(lens: Lens) -> None:
    batch = random_batch()
    beams = ops.convert_to_numpy(lens.decode(batch, MAX_PRODUCTS, beams=3)["products"])
    for basket in beams:
        chosen = basket[basket > 0]
        assert len(set(chosen)) == len(chosen) > 0
        assert not basket[len(chosen) :].any()


def test_frozen_product_vectors_stay_where_they_started(make_lens: Callable[..., Lens]) -> None:
    lens = make_lens(replace(TINY, products_frozen=True))
    lens.backbone.products.start_from_vectors(np.eye(lens.n_products, TINY.product_units, dtype=np.float32))
    start = ops.convert_to_numpy(lens.backbone.products.vectors)
    assert np.abs(start[: TINY.product_units]).max() == pytest.approx(0.3)
    train(lens, random_batch(), 2)
    np.testing.assert_array_equal(ops.convert_to_numpy(lens.backbone.products.vectors), start)
    assert ops.convert_to_numpy(lens.backbone.products.bias).any()


def test_an_unknown_kind_of_module_lists_the_known_ones(make_lens: Callable[..., Lens]) -> None:
    with pytest.raises(ValueError, match=r"session_encoder 'gru'; known: lstm, transformer, mean"):
        make_lens(replace(TINY, session_encoder="gru"))
    with pytest.raises(ValueError, match="decoder 'gru'; known: lstm, transformer"):
        make_lens(replace(TINY, decoder="gru"))


def test_only_known_products_are_written(lens: Lens) -> None:
    products = decoded(lens, random_batch())["products"]
    assert np.all((products == 0) | (products >= FIRST_PRODUCT))


def test_a_basket_ends_and_has_at_least_one_product(lens: Lens) -> None:
    lens.backbone.products.bias.assign(
        ops.convert_to_numpy(lens.backbone.products.bias) + 50.0 * (np.arange(lens.n_products) == 2)
    )
    if lens.basket.next_symbol.copies:
        lens.basket.next_symbol.gate.bias.assign([-100.0])  # generate always: only the vocabulary holds the end
    products = decoded(lens, random_batch())["products"]
    assert np.all((products > 0).sum(axis=1) == 1)


def test_nothing_follows_the_end(lens: Lens) -> None:
    chosen = decoded(lens, random_batch())["products"] > 0
    assert np.all(chosen[:, :-1] >= chosen[:, 1:])


def test_the_next_basket_is_not_in_the_past(lens: Lens) -> None:
    batch = random_batch()
    assert np.all(decoded(lens, batch)["due_days"] >= batch["elapsed_days"])


def test_ranking_is_sorted_by_both_estimates_and_distinct(lens: Lens) -> None:
    batch = random_batch()
    products, probabilities = (ops.convert_to_numpy(each) for each in lens.rank(batch, 20))
    estimates = np.log(np.take_along_axis(first_probabilities(lens, batch), products, axis=1)) + np.log(probabilities)
    assert np.all(np.diff(estimates, axis=1) <= 1e-5)
    assert np.all((probabilities > 0) & (probabilities < 1))
    assert all(len(set(row)) == len(row) for row in products)
    if not lens.basket.next_symbol.copies:  # inclusion then follows from the first symbol, so both agree
        assert np.all(np.diff(probabilities, axis=1) <= 0)
        np.testing.assert_array_equal(decoded(lens, batch)["products"][:, 0], products[:, 0])


def test_validation_counts_the_products_of_the_next_basket_among_the_first_ten(lens: Lens) -> None:
    batch = random_batch()
    ranked = ops.convert_to_numpy(lens.rank(batch, 10)[0])
    expected = []
    for products, targets in zip(ranked.tolist(), batch["target_products"].tolist(), strict=True):
        bought = {product for product in targets if product >= FIRST_PRODUCT}
        expected.append(len(bought & set(products)) / max(len(bought), 1))
    found = lens.validation_metrics(batch)
    assert 0 < np.mean(expected) < 1
    assert float(found["recall_at_10"]) == pytest.approx(np.mean(expected))


def test_the_best_basket_is_the_beginning_of_the_ranking(lens: Lens) -> None:
    batch = random_batch()
    ranked, probabilities = (ops.convert_to_numpy(each) for each in lens.rank(batch, MAX_PRODUCTS))
    found = best(lens, batch)
    taken = found["products"] > 0
    assert np.all(taken[:, 0])
    np.testing.assert_array_equal(found["products"], np.where(taken, ranked, 0))
    np.testing.assert_allclose(found["probabilities"], np.where(taken, probabilities, 0.0), rtol=1e-5)
    assert np.all((found["quantities"] > 0) == taken)
    first, days = decoded(lens, batch), ("gap_days", "due_days")
    same = found["products"][:, 0] == first["products"][:, 0]  # the same quantity, whether ranked or decoded
    assert same.any()
    np.testing.assert_allclose(found["quantities"][same, 0], first["quantities"][same, 0], rtol=1e-5)
    for name in days:
        np.testing.assert_array_equal(found[name], first[name])


def test_a_saved_model_predicts_the_same(lens: Lens, tmp_path: Path) -> None:
    batch = random_batch()
    lens.save(tmp_path / "lens.keras")
    loaded = load_model(tmp_path / "lens.keras")
    assert losses_of(loaded, batch) == losses_of(lens, batch)
    np.testing.assert_array_equal(loaded.keys.product_keys, lens.keys.product_keys)
    np.testing.assert_array_equal(loaded.keys.customer_keys, lens.keys.customer_keys)


def test_copied_weights_follow_their_products_and_customers(make_lens: Callable[..., Lens]) -> None:
    old, new = make_lens(), make_lens(replace(TINY, seed=5), n_customers=4)
    order = np.r_[0, 0, 0, np.arange(old.n_products - 1, 2, -1)]
    new.keys.assign(order, np.array([0, 8, 99, 1]))
    start = ops.convert_to_numpy(new.backbone.customers.vectors)
    new.warm_start_from(old)
    products, customers = (
        ops.convert_to_numpy(each.vectors) for each in (old.backbone.products, old.backbone.customers)
    )
    np.testing.assert_array_equal(ops.convert_to_numpy(new.backbone.products.vectors)[3:], products[:2:-1])
    np.testing.assert_array_equal(
        ops.convert_to_numpy(new.backbone.customers.vectors),
        np.stack([customers[0], customers[8], start[2], customers[1]]),
    )
    np.testing.assert_array_equal(
        *(ops.convert_to_numpy(each.basket.next_symbol.readout.kernel) for each in (old, new))
    )


def test_weights_of_another_architecture_are_not_copied(make_lens: Callable[..., Lens]) -> None:
    with pytest.raises(ValueError, match="one architecture"):
        make_lens().warm_start_from(make_lens(replace(TINY, decoder_units=(16, 8))))
