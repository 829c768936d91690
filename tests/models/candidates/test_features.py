"""Candidate features: by hand, and without a look at what is to be predicted."""

import numpy as np
import pytest

from models.baselines.gradient_boosting import source_of
from models.basket_sequences import BasketSequences
from models.candidate_columns import FEATURES
from models.candidates.features import NEVER, CandidateFeatures, FeatureConfig
from tests.models.baskets import N_PRODUCTS, as_lists, random_sequences, sequences

CONFIG = FeatureConfig(n_candidates=20, n_neighbours=5)


def features_of(history: list[list[int]], product: int, others: BasketSequences | None = None) -> dict[str, float]:
    """The features of one product for one customer."""
    memory = others or random_sequences()
    found = CandidateFeatures(memory, CONFIG).of(sequences(history, numbers=[10_000]))
    position = found.products[0].tolist().index(product)
    return dict(zip(FEATURES, found.features[0, position].tolist(), strict=True))


def test_own_purchases_are_counted() -> None:
    found = features_of([[3, 9], [9], [4], [5, 6]], 9)
    assert found["own_count"] == 2
    assert found["own_share"] == pytest.approx(0.5)
    assert found["own_age"] == 2
    # Three baskets since, of a product bought every second basket.
    assert found["own_regularity"] == pytest.approx(3 / 2)
    assert found["n_baskets"] == 4
    assert found["n_products"] == 5
    assert found["mean_size"] == pytest.approx(6 / 4)
    assert found["last_size"] == 2
    assert found["repeat_share"] == pytest.approx(1 / 6)


def test_a_product_never_bought_says_so() -> None:
    found = features_of([[3]], 4, sequences([[3], [4]], [[3], [4]]))
    assert [found[name] for name in FEATURES if name.startswith("own_")] == [NEVER] * 5
    assert found["follows_last"] == pytest.approx(2 / 7)
    assert found["share"] == pytest.approx(0.5)
    assert found["latest_share"] == pytest.approx(1.0)


def test_own_products_are_candidates_first_and_none_comes_twice() -> None:
    given = random_sequences()
    found = CandidateFeatures(given, CONFIG).of(given)
    assert found.products.shape == (len(given), 20)
    assert found.products.min() >= 3
    for baskets, products in zip(as_lists(given), found.products.tolist(), strict=True):
        own = {product for basket in baskets for product in basket}
        assert len(set(products)) == len(products)
        assert set(products[: len(own)]) == own


def test_changing_the_basket_to_be_predicted_changes_no_feature() -> None:
    """Neither for whose basket it is, nor for anyone else, training customers and test customers alike."""
    train, validation, test = (random_sequences(20, seed) for seed in range(3))
    numbered = [
        BasketSequences(**{**part.__dict__, "customers": np.arange(20) + 20 * number})
        for number, part in enumerate((train, validation, test))
    ]
    changed = [with_other_last_baskets(part) for part in numbered]
    histories = numbered[2].without_last()
    found = [
        source_of([], parts[:2], histories, CONFIG).of(part.without_last())
        for parts in (numbered, changed)
        for part in parts
    ]
    for before, after in zip(found[:3], found[3:], strict=True):
        np.testing.assert_array_equal(before.products, after.products)
        np.testing.assert_array_equal(before.features, after.features)


def test_a_customers_own_history_does_not_answer_for_others() -> None:
    """A customer who is in memory gets the neighbours' features of one who is not."""
    given = random_sequences()
    inside = CandidateFeatures(given, CONFIG)
    near = [FEATURES.index(name) for name in ("neighbour_frequency", "neighbour_popularity")]
    row = np.array([7])
    others = CandidateFeatures(given.take(np.delete(np.arange(len(given)), row)), CONFIG)
    by_product = []
    for source in (inside, others):
        found = source.of(given.take(row))
        by_product.append(dict(zip(found.products[0].tolist(), found.features[0][:, near].tolist(), strict=True)))
    shared = by_product[0].keys() & by_product[1].keys()
    assert len(shared) > 10
    for product in shared:
        assert by_product[0][product] == pytest.approx(by_product[1][product])


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    given = random_sequences()
    whole = CandidateFeatures(given, CONFIG).of(given)
    monkeypatch.setattr("models.candidates.features._ROWS_AT_ONCE", 7)
    parted = CandidateFeatures(given, CONFIG).of(given)
    np.testing.assert_array_equal(whole.products, parted.products)
    np.testing.assert_allclose(whole.features, parted.features, rtol=1e-6)


def with_other_last_baskets(given: BasketSequences) -> BasketSequences:
    """The same histories, every last basket another one."""
    random = np.random.default_rng(9)
    ids = given.product_ids.copy()
    last = given.age_of_basket[given.basket_of_line] == 0
    ids[last] = (ids[last] - 3 + random.integers(1, N_PRODUCTS - 4)) % (N_PRODUCTS - 3) + 3
    return BasketSequences(**{**given.__dict__, "product_ids": ids})
