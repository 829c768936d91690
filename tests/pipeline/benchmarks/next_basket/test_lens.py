"""LENS as a method: it ranks by what it learned, and its examples know nothing of the baskets to be predicted."""

import numpy as np
import pytest

from models.basket_sequences import BasketSequences
from models.candidates.features import FeatureConfig
from models.special_ids import FIRST_PRODUCT
from pipeline.benchmarks.next_basket.last_baskets import histories_of, with_candidates
from pipeline.benchmarks.next_basket.lens import LensMethod
from tests.models.baskets import random_sequences


def three_parts() -> list[BasketSequences]:
    parts = [random_sequences(24, seed) for seed in range(3)]
    return [
        BasketSequences(**{**part.__dict__, "customers": np.arange(24) + 24 * number})
        for number, part in enumerate(parts)
    ]


@pytest.mark.parametrize("architecture", ["lens", "lens1000"])
def test_it_ranks_different_products_and_says_how_many_it_would_write(architecture: str) -> None:
    train, validation, test = three_parts()
    method = LensMethod(architecture, seed=0, epochs=1)
    method.fit(train, validation, test.without_last())
    ranking = method.rank(test.without_last(), 10)
    assert ranking.products.shape == ranking.scores.shape == (24, 10)
    assert ranking.products.min() >= FIRST_PRODUCT
    assert all(len(set(row)) == 10 for row in ranking.products.tolist())
    assert np.all((ranking.scores > 0) & (ranking.scores < 1))
    assert ranking.sizes is not None
    assert np.all(ranking.sizes >= 1)
    assert method.settings()["epochs"] == 1


def test_changing_the_basket_to_be_predicted_changes_no_feature_of_its_candidates() -> None:
    train, validation, test = three_parts()
    changed = changed_last(train, customer=3)
    config = FeatureConfig()
    found = [with_candidates(part, validation, test, config, n_parts=8, seed=0)[0] for part in (train, changed)]
    rows = [np.flatnonzero(part.sequences.customers == 3)[0] for part in found]
    for name in ("candidates", "candidate_features"):
        one, other = (getattr(part, name)[row] for part, row in zip(found, rows, strict=True))
        np.testing.assert_array_equal(one, other)


def changed_last(sequences: BasketSequences, customer: int) -> BasketSequences:
    """Another product first in that customer's last basket."""
    product_ids = sequences.product_ids.copy()
    basket = sequences.basket_offsets[customer + 1] - 1
    line = sequences.product_offsets[basket]
    others = np.setdiff1d(
        np.arange(FIRST_PRODUCT, sequences.n_products), product_ids[line : sequences.product_offsets[basket + 1]]
    )
    product_ids[line] = others[0]
    return BasketSequences(**{**sequences.__dict__, "product_ids": product_ids})


def test_baskets_without_dates_are_a_week_apart() -> None:
    histories = histories_of(random_sequences(5))
    first = histories.basket_offsets[:-1]
    assert np.all(histories.gap_days[first] == -1)
    assert np.all(np.delete(histories.gap_days, first) == 7)
    assert set(histories.day_of_week) <= set(range(1, 8))
