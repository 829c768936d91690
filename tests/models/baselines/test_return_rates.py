"""Boosted trees of returns start from running rates, predict alike from their text, and fit into few lines, too."""

import json

import numpy as np
import pytest

from models.baselines.return_rates import BoostedReturns, ReturnTrees


def lines(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Logarithms of two rates and noise; what comes back does so at the product of the rates."""
    random = np.random.default_rng(n)
    numbers = random.normal(size=(n, 3))
    returned = random.random(n) < 1.0 / (1.0 + np.exp(2.5 - numbers[:, 0] - numbers[:, 1]))
    return numbers, returned


@pytest.mark.parametrize("n", [60, 3000])
def test_the_text_alone_predicts_the_same(n: int) -> None:
    numbers, returned = lines(n)
    grown = BoostedReturns.fit(numbers, returned, ReturnTrees(n_trees=20), rates=(0, 1))
    again = BoostedReturns(grown.text)
    np.testing.assert_array_equal(again.log_odds(numbers), grown.log_odds(numbers))
    assert json.loads(grown.text)["rates"] == [0, 1]


def test_trees_keep_the_order_of_rates_that_they_do_not_tell_apart() -> None:
    numbers, returned = lines(3000)
    beyond = np.array([[5.0, 0.0, 0.0], [6.0, 0.0, 0.0]])
    grown = BoostedReturns.fit(numbers, returned, ReturnTrees(), rates=(0, 1))
    low, high = grown.log_odds(beyond)
    assert high - low == pytest.approx(ReturnTrees().part_of_rates)
    low, high = BoostedReturns.fit(numbers, returned, ReturnTrees()).log_odds(beyond)
    assert high == low


def test_probabilities_sum_to_what_comes_back() -> None:
    numbers, returned = lines(3000)
    for rates in ((), (0, 1)):
        odds = BoostedReturns.fit(numbers, returned, ReturnTrees(), rates=rates).log_odds(numbers)
        assert (1.0 / (1.0 + np.exp(-odds))).mean() == pytest.approx(returned.mean(), rel=0.1)
