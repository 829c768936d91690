"""The benchmark's metrics against an example worked by hand."""

from dataclasses import replace

import numpy as np
import pytest

from models.baselines.next_basket import Ranking
from pipeline.benchmarks.data.folds import Fold
from pipeline.benchmarks.next_basket.metrics import WIDTH, reliability_of, scores_of, usual_sizes
from pipeline.benchmarks.report.calibration import expected_calibration_error, pooled
from tests.models.baskets import sequences

NOBODY = sequences()
# Two customers; the first bought 3 and 4 before and buys 3, 9, 10; the second bought 5 and buys 6.
FOLD = Fold(NOBODY, NOBODY, sequences([[3, 4], [3]], [[5]]), sequences([[3, 9, 10]], [[6]]))


def ranking(*rows: list[int], sizes: list[int] | None = None) -> Ranking:
    """Rankings padded to the width that is scored."""
    products = np.array([[*row, *[0] * (WIDTH - len(row))] for row in rows], np.int32)
    return Ranking(products, (products > 0).astype(np.float32), None if sizes is None else np.array(sizes))


GIVEN = ranking([4, 3, 9], [5, 6])


def test_averages_over_cutoffs() -> None:
    scores = scores_of(GIVEN, FOLD, ndcg_over_whole_basket=False)
    # Recall by cutoff: 0, then (1/3 + 1) / 2, then (2/3 + 1) / 2 from 3 to 10.
    recall = (0 + 2 / 3 + 8 * 5 / 6) / 10
    precision = (0 + (1 / 2 + 1 / 2) / 2 + sum((2 + 1) / 2 / k for k in range(3, 11))) / 10
    assert scores["recall@1-10"] == pytest.approx(recall)
    assert scores["precision@1-10"] == pytest.approx(precision)
    assert scores["hit_ratio@1-10"] == pytest.approx(0.9)
    assert scores["f1_of_means@1-10"] == pytest.approx(2 * recall * precision / (recall + precision))
    assert scores["f1_of_means@3"] == pytest.approx(2 * (5 / 6) * 0.5 / (5 / 6 + 0.5))
    assert scores["f1@3"] == pytest.approx((2 * 2 / 6 + 2 * 1 / 4) / 2)


def test_probabilities_are_held_to_what_was_bought() -> None:
    # Five products named, of which 3, 9 and 6 are bought.
    for probability, error in ((1.0, 0.4), (0.6, 0.0)):
        # One bin per product would compare each with 0 or 1: repeat the two customers until bins are mixed alike.
        products = np.tile(GIVEN.products, (20, 1))
        fold = Fold(NOBODY, NOBODY, sequences(*[[[3, 4], [3]], [[5]]] * 20), sequences(*[[[3, 9, 10]], [[6]]] * 20))
        predicted = Ranking(products, (products > 0) * np.float32(probability), are_probabilities=True)
        found = expected_calibration_error(reliability_of(predicted, fold)["products"])
        assert found == pytest.approx(error, abs=1e-6)
    assert reliability_of(GIVEN, FOLD) == {}


def test_units_are_held_to_those_of_written_products_that_were_bought() -> None:
    # Of 3, 9 and 5 decoded, 9 and 5 are bought: 4 and 2 units, of which 3 and 2 were predicted.
    truth = replace(sequences([[9, 10]], [[5]]), quantities=np.array([4.0, 1.0, 2.0], np.float32))
    decoded, units = np.array([[3, 9, 0], [5, 0, 0]]), np.array([[7.0, 3.0, 0.0], [2.0, 0.0, 0.0]])
    (bins,) = reliability_of(
        replace(GIVEN, decoded_basket=decoded, units=units), Fold(NOBODY, NOBODY, FOLD.histories, truth)
    ).values()
    assert [(each["predicted"], each["observed"]) for each in bins] == [(2.0, 2.0), (3.0, 4.0)]


def test_trials_are_pooled_bin_by_bin() -> None:
    one = [{"predicted": 0.1, "observed": 0.2, "n": 30}, {"predicted": 0.5, "observed": 0.4, "n": 10}]
    other = [{"predicted": 0.3, "observed": 0.2, "n": 10}, {"predicted": 0.5, "observed": 0.8, "n": 10}]
    assert pooled([one, other]) == [
        {"predicted": 0.15, "observed": 0.2, "n": 40},
        {"predicted": 0.5, "observed": 0.6, "n": 20},
    ]


def test_ndcg_over_the_whole_basket_or_as_much_as_fits() -> None:
    second = 1 / np.log2(3)
    first_customer, all_three = second, 1 + second + 1 / np.log2(4)
    fits = scores_of(GIVEN, FOLD, ndcg_over_whole_basket=False)["ndcg@2"]
    whole = scores_of(GIVEN, FOLD, ndcg_over_whole_basket=True)["ndcg@2"]
    assert fits == pytest.approx((first_customer / (1 + second) + second) / 2)
    assert whole == pytest.approx((first_customer / all_three + second) / 2)


def test_the_variable_size_basket_is_the_methods_own() -> None:
    scores = scores_of(ranking([4, 3, 9], [5, 6], sizes=[3, 1]), FOLD, ndcg_over_whole_basket=False)
    assert scores["precision@basket"] == pytest.approx((2 / 3 + 0) / 2)
    assert scores["recall@basket"] == pytest.approx((2 / 3 + 0) / 2)
    assert scores["f1@basket"] == pytest.approx((2 * 2 / 6 + 0) / 2)
    assert scores["hit_ratio@basket"] == pytest.approx(0.5)


def test_without_a_size_of_its_own_a_basket_is_as_large_as_usual() -> None:
    assert usual_sizes(sequences([[3, 4], [3], [3, 4, 5]], [[5]])).tolist() == [2, 1]
    scores = scores_of(GIVEN, FOLD, ndcg_over_whole_basket=False)
    # The first customer's baskets have 1.5 products in the mean, which rounds to even.
    assert scores["precision@basket"] == pytest.approx((1 / 2 + 0) / 2)


def test_repeat_and_explore_products_are_separated() -> None:
    scores = scores_of(GIVEN, FOLD, ndcg_over_whole_basket=False)
    # Only the first customer repeats: 3. New are 9 and 10 with the first, 6 with the second.
    assert scores["repeat_recall@1"] == 0.0
    assert scores["repeat_recall@2"] == 1.0
    assert scores["explore_recall@2"] == pytest.approx((0 + 1) / 2)
    assert scores["explore_recall@3"] == pytest.approx((1 / 2 + 1) / 2)
    assert scores["repeat_share@2"] == pytest.approx((2 / 2 + 1 / 2) / 2)
