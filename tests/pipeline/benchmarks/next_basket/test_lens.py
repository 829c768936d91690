"""LENS as a method: it ranks by what it learned, and its examples know nothing of the baskets to be predicted."""

import numpy as np
import pytest

from models.basket_sequences import BasketSequences
from models.candidates.features import FeatureConfig
from models.special_ids import FIRST_PRODUCT
from pipeline.benchmarks.next_basket.all_prefixes import AllPrefixes
from pipeline.benchmarks.next_basket.last_baskets import histories_of, with_candidates
from pipeline.benchmarks.next_basket.lens import LensMethod
from pipeline.benchmarks.next_basket.methods import method_named
from pipeline.dataset.batch import Cut
from pipeline.settings import TrainingSettings
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
    method = LensMethod(architecture, seed=0, passes=1)
    method.fit(train, validation, test.without_last())
    ranking = method.rank(test.without_last(), 10)
    assert ranking.products.shape == ranking.scores.shape == (24, 10)
    assert ranking.products.min() >= FIRST_PRODUCT
    assert all(len(set(row)) == 10 for row in ranking.products.tolist())
    assert np.all((ranking.scores > 0) & (ranking.scores < 1))
    assert ranking.sizes is not None
    assert np.all(ranking.sizes >= 1)
    assert method.settings()["epochs"] == 1


@pytest.mark.parametrize("name", ["lens1000+prefixes@1", "lens1000+prefixes+customers@1"])
def test_trained_as_the_paper_s_it_ranks_and_customers_differ_by_their_vectors(name: str) -> None:
    train, validation, test = three_parts()
    # Two customers of the same baskets.
    rows = np.append(np.zeros(1, np.int64), np.arange(23))
    histories = BasketSequences(**{**test.take(rows).without_last().__dict__, "customers": test.customers})
    method = method_named(name, seed=0)
    method.fit(train, validation, histories)
    scores = method.rank(histories, 10).scores
    assert np.array_equal(scores[0], scores[1]) == (name == "lens1000+prefixes@1")
    assert method.settings()["epochs"] == 1


def test_a_pass_has_every_known_basket_but_the_first_ones_once_and_no_basket_that_is_predicted() -> None:
    train, validation, test = three_parts()
    settings = TrainingSettings(workers=1, seed=3)
    data = AllPrefixes(train, validation, test.without_last(), Cut(20, 20), settings, with_customers=True)
    batches = [data.batch(step, 8) for step in range(data.steps_per_epoch(8))]
    lengths = np.concatenate([(batch["basket_rows"] > 0).sum(axis=1) for batch in batches])[: data.n_train]
    known = np.concatenate([train.n_baskets, validation.n_baskets - 1, test.n_baskets - 1])
    expected = np.concatenate([np.arange(1, n) for n in known])
    assert sorted(lengths.tolist()) == sorted(np.minimum(expected, 20).tolist())
    changed = AllPrefixes(
        train,
        changed_last(validation, customer=3),
        changed_last(test, customer=5).without_last(),
        Cut(20, 20),
        settings,
        with_customers=True,
    )
    for step, batch in enumerate(batches):
        for field, values in changed.batch(step, 8).items():
            np.testing.assert_array_equal(values, batch[field])


def test_every_worker_takes_its_part_of_a_batch() -> None:
    train, validation, test = three_parts()
    data = AllPrefixes(train, validation, test, Cut(20, 20), TrainingSettings(workers=2), with_customers=False)
    whole = data.batch(4, 8)["target_sizes"]
    parts = [data.batch(4, 8, worker, 2)["target_sizes"] for worker in range(2)]
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.sort(whole))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("lens+prefixes", "reads candidates"),
        ("lens1000@0", "whole number from 1"),
        ("lens1000+prefixes@x", "whole number from 1"),
        ("lens1000+suffixes", r"\+prefixes"),
    ],
)
def test_what_cannot_be_trained_is_refused(name: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        method_named(name, seed=0)


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
