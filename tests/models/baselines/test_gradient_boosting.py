"""Boosted trees learn what decides the next basket."""

from dataclasses import replace

import numpy as np
import pytest

from models.baselines.gradient_boosting import (
    BoostingConfig,
    Labelled,
    LambdaMartRanker,
    XgboostClassifier,
    shown,
    with_hit,
)
from models.baselines.next_basket import NextBasketModel
from models.basket_sequences import BasketSequences
from models.candidates.features import FeatureConfig
from tests.models.baskets import N_PRODUCTS, sequences

FEATURES = FeatureConfig(n_candidates=15, n_neighbours=5)
CONFIG = BoostingConfig(n_trees=30, learning_rate=0.2, min_rows_in_leaf=5)
PARTED = replace(CONFIG, n_parts=3)
MODELS = [LambdaMartRanker(CONFIG, FEATURES), LambdaMartRanker(PARTED, FEATURES), XgboostClassifier(CONFIG, FEATURES)]


def repeaters(n: int, seed: int, first_number: int) -> BasketSequences:
    """Customers whose next basket is always the one before the last: products of age 1."""
    random = np.random.default_rng(seed)
    customers = []
    for _ in range(n):
        products = random.permutation(np.arange(3, N_PRODUCTS))[:9].reshape(3, 3).tolist()
        customers.append([*map(sorted, products), sorted(products[1])])
    return sequences(*customers, numbers=list(range(first_number, first_number + n)))


@pytest.mark.parametrize("model", MODELS)
def test_the_rule_behind_the_next_basket_is_learned(model: NextBasketModel) -> None:
    train, validation, test = repeaters(80, 0, 0), repeaters(20, 1, 80), repeaters(20, 2, 100)
    model.fit(train, validation, test.without_last())
    ranking = model.rank(test.without_last(), 5)
    truth = test.last().product_ids.reshape(20, 3)
    found = np.mean([len(set(row[:3]) & set(true)) / 3 for row, true in zip(ranking.products, truth, strict=True)])
    assert found > 0.95
    assert np.all(np.diff(ranking.scores, axis=1) <= 0)


def test_the_classifier_names_a_basket_of_its_own_size() -> None:
    train, validation, test = repeaters(80, 0, 0), repeaters(20, 1, 80), repeaters(20, 2, 100)
    model = XgboostClassifier(CONFIG, FEATURES)
    model.fit(train, validation, test.without_last())
    ranking = model.rank(test.without_last(), 10)
    assert ranking.sizes is not None
    assert np.mean(ranking.sizes == 3) > 0.9
    assert np.all((ranking.scores >= 0) & (ranking.scores <= 1))


@pytest.mark.parametrize("n_parts", [1, 3])
def test_a_customers_last_basket_changes_no_feature_it_is_predicted_from(n_parts: int) -> None:
    parts = repeaters(30, 0, 0), repeaters(10, 1, 30), repeaters(10, 2, 40).without_last()
    config = BoostingConfig(n_parts=n_parts)
    _, before, _ = shown(*parts, FEATURES, config)
    train = parts[0]
    changed, last = train.product_ids.copy(), slice(-3, None)
    changed[last] = np.setdiff1d(np.arange(3, N_PRODUCTS), changed[last])[:3]
    _, after, _ = shown(BasketSequences(**{**train.__dict__, "product_ids": changed}), *parts[1:], FEATURES, config)
    rows = [each.table[0].reshape(30, -1, each.table[0].shape[1]) for each in (before, after)]
    part = np.random.default_rng(config.seed).integers(0, n_parts, 30)
    row = np.argsort(part, kind="stable").tolist().index(29)
    np.testing.assert_array_equal(rows[0][row], rows[1][row])
    if n_parts == 1:
        np.testing.assert_array_equal(*rows)


def test_customers_who_bought_no_candidate_teach_a_ranker_nothing() -> None:
    labels = np.array([0, 1, 0, 0, 1, 1], np.float32)
    given = Labelled((np.arange(12.0).reshape(6, 2), labels), np.full(3, 2), np.array([4, 5, 6]))
    kept = with_hit(given)
    assert kept.table[0][:, 0].tolist() == [0.0, 2.0, 8.0, 10.0]
    assert kept.table[1].tolist() == [0.0, 1.0, 1.0, 1.0]
    assert kept.groups.tolist() == [2, 2]
    assert kept.sizes.tolist() == [4, 6]


@pytest.mark.parametrize("model", [LambdaMartRanker(), XgboostClassifier()])
def test_ranking_before_fitting_is_an_error(model: NextBasketModel) -> None:
    with pytest.raises(RuntimeError, match="before fit"):
        model.rank(sequences([[3]]), 5)
