"""Boosted trees learn what decides the next basket."""

import numpy as np
import pytest

from models.baselines.gradient_boosting import BoostingConfig, LambdaMartRanker, XgboostClassifier
from models.baselines.next_basket import NextBasketModel
from models.basket_sequences import BasketSequences
from models.candidates.features import FeatureConfig
from tests.models.baskets import N_PRODUCTS, sequences

FEATURES = FeatureConfig(n_candidates=15, n_neighbours=5)
CONFIG = BoostingConfig(n_trees=30, learning_rate=0.2, min_rows_in_leaf=5)
MODELS = [LambdaMartRanker(CONFIG, FEATURES), XgboostClassifier(CONFIG, FEATURES)]


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


@pytest.mark.parametrize("model", [LambdaMartRanker(), XgboostClassifier()])
def test_ranking_before_fitting_is_an_error(model: NextBasketModel) -> None:
    with pytest.raises(RuntimeError, match="before fit"):
        model.rank(sequences([[3]]), 5)
