"""TIFU-KNN and UP-CF@r against examples worked by hand."""

from dataclasses import replace

import numpy as np
import pytest

from models.baselines.tifu_knn import SEARCHED, TUNED, SearchedTifuKnn, TifuKnn, TifuKnnConfig
from models.baselines.up_cf import UpCf, UpCfConfig
from models.basket_sequences import BasketSequences
from models.candidates.temporal_frequency import TemporalFrequency, basket_weights, temporal_frequencies
from models.special_ids import FIRST_PRODUCT
from tests.models.baskets import random_sequences, sequences

NOBODY = sequences()


def test_item_frequencies_of_five_baskets_in_two_groups() -> None:
    given = sequences([[3], [4], [3, 5], [6], [3]])
    decays = TemporalFrequency(within_decay=0.5, group_decay=0.8, n_groups=2)
    # Groups {1, 2} and {3, 4, 5}; within decays 1/16, 1/8, 1/4, 1/2, 1; a group's mean; the first group by 0.8.
    first, second = 0.8 / 2, 1.0 / 3
    vector = temporal_frequencies(given, decays).toarray()[0]
    assert vector[3] == pytest.approx((first / 16 + second / 4 + second) / 2)
    assert vector[4] == pytest.approx(first / 8 / 2)
    assert vector[5] == pytest.approx(second / 4 / 2)
    assert vector[6] == pytest.approx(second / 2 / 2)


def test_fewer_baskets_than_groups_are_a_group_each() -> None:
    weights = basket_weights(sequences([[3], [4]]), TemporalFrequency(0.5, 0.8, n_groups=3))
    assert weights.tolist() == pytest.approx([0.5 * 0.8**2 / 2, 0.8 / 2])


@pytest.mark.parametrize("n_baskets", range(1, 30))
def test_groups_are_contiguous_and_of_equal_length_to_one(n_baskets: int) -> None:
    given = sequences([[3]] * n_baskets)
    # Without decay within and a decay of 10 between groups, a weight's magnitude tells the group, its rest the size.
    weights = basket_weights(given, TemporalFrequency(1.0, 10.0, n_groups=7)) * min(n_baskets, 7)
    groups = 6 - np.round(np.log10(weights * max(n_baskets / 7, 1.0)))
    sizes = np.unique(groups, return_counts=True)[1]
    assert sizes.max() - sizes.min() <= 1
    assert np.all(np.diff(groups) >= 0)
    assert np.all(np.diff(sizes) >= 0)


def test_tifu_knn_mixes_own_frequencies_with_the_nearest_customers() -> None:
    config = TifuKnnConfig(TemporalFrequency(1.0, 1.0, n_groups=1), n_neighbours=1, alpha=0.25)
    model = TifuKnn(config)
    model.fit(sequences([[3, 4], [3, 5]], [[9, 10], [9, 11]]), NOBODY, NOBODY)
    ranking = model.rank(sequences([[3], [6]]), 5)
    # Own: 3 and 6 half each. Nearest: 3 always, 4 and 5 half.
    assert dict(zip(ranking.products[0].tolist(), ranking.scores[0].tolist(), strict=True)) == pytest.approx(
        {3: 0.25 * 0.5 + 0.75, 4: 0.75 * 0.5, 5: 0.75 * 0.5, 6: 0.25 * 0.5, 0: 0.0}
    )


def test_up_cf_weighs_the_recent_popularity_with_similar_customers() -> None:
    model = UpCf(UpCfConfig(recency=2, asymmetry=0.75, locality=2.0))
    model.fit(sequences([[3], [3, 4], [5]], [[9]]), NOBODY, NOBODY)
    ranking = model.rank(sequences([[3, 6]]), 6)
    # One product in common, 2 own and 3 theirs: (2 ** -0.75 * 3 ** -0.25) squared; theirs of two baskets: 3, 4, 5 half.
    weight = (2**-0.75 * 3**-0.25) ** 2
    assert dict(zip(ranking.products[0].tolist(), ranking.scores[0].tolist(), strict=True)) == pytest.approx(
        {3: 1.0 + weight / 2, 6: 1.0, 4: weight / 2, 5: weight / 2, 0: 0.0}
    )


def test_asking_for_more_products_than_there_are_pads() -> None:
    model = TifuKnn(TUNED)
    nobody = sequences(n_products=6)
    model.fit(sequences([[3, 4]], n_products=6), nobody, nobody)
    ranking = model.rank(sequences([[3]], n_products=6), 8)
    assert ranking.products.tolist() == [[3, 4, 0, 0, 0, 0, 0, 0]]


def test_the_searched_setting_is_the_best_on_validation_and_reads_no_last_basket_of_the_training_customers() -> None:
    train, validation, test = (random_sequences(24, seed) for seed in range(3))
    histories = test.without_last()
    searched = SearchedTifuKnn(SEARCHED[:3])
    searched.fit(train, validation, histories)
    assert searched.settings()["chosen"] in [TifuKnn(config).settings() for config in SEARCHED[:3]]
    alone = SearchedTifuKnn((next(c for c in SEARCHED if TifuKnn(c).settings() == searched.settings()["chosen"]),))
    alone.fit(train, validation, histories)
    assert alone.settings()["validation"] == searched.settings()["validation"]
    changed = np.where(np.isin(np.arange(len(train.product_ids)), last_lines(train)), FIRST_PRODUCT, train.product_ids)
    other = SearchedTifuKnn(SEARCHED[:3])
    other.fit(replace(train, product_ids=changed), validation, histories)
    np.testing.assert_array_equal(other.rank(histories, 10).products, searched.rank(histories, 10).products)


def last_lines(sequences: BasketSequences) -> np.ndarray:
    """Lines of everyone's last basket."""
    basket = sequences.basket_offsets[1:] - 1
    return np.flatnonzero(np.isin(sequences.basket_of_line, basket))
