"""The ranker beside `lens`: the same features, settings chosen on validation, and no product named that is padding."""

from dataclasses import replace

import numpy as np

from models.basket_sequences import BasketSequences
from models.candidates.features import FeatureConfig
from models.special_ids import FIRST_PRODUCT
from pipeline.benchmarks.next_basket.last_baskets import with_candidates
from pipeline.benchmarks.next_basket.ranker import SETTINGS, SameFeaturesRanker, labelled
from tests.models.baskets import as_lists, random_sequences

FEW = tuple(replace(each, n_trees=5, min_rows_in_leaf=5, n_parts=2) for each in SETTINGS[:2])


def three_parts() -> list[BasketSequences]:
    parts = [random_sequences(24, seed) for seed in range(3)]
    return [replace(part, customers=np.arange(24) + 24 * number) for number, part in enumerate(parts)]


def test_it_keeps_the_setting_that_ranks_validation_best_and_names_products_once() -> None:
    train, validation, test = three_parts()
    ranker = SameFeaturesRanker(0, FEW)
    ranker.fit(train, validation, test.without_last())
    settings = ranker.settings()
    best = int(np.argmax(settings["validation_ndcg@10"]))
    assert settings["chosen"] == settings["tried"][best]
    ranking = ranker.rank(test.without_last(), 10)
    assert ranking.products.shape == ranking.scores.shape == (24, 10)
    named = [[product for product in row if product] for row in ranking.products.tolist()]
    assert all(len(set(row)) == len(row) > 0 for row in named)
    assert min(min(row) for row in named) >= FIRST_PRODUCT


def test_a_label_is_whether_the_candidate_is_in_the_last_basket() -> None:
    train, validation, test = three_parts()
    examples, _ = with_candidates(train, validation, test.without_last(), FeatureConfig(), n_parts=2, seed=0)
    labels = labelled(examples).table[1].reshape(examples.candidates.shape)
    for row, (basket,) in enumerate(as_lists(examples.sequences.last())):
        expected = [product in set(basket) and product > 0 for product in examples.candidates[row].tolist()]
        assert labels[row].tolist() == expected
