"""Candidates and their features: own products keep what is known of them, and no feature reads the future."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from models.basket_sequences import BasketSequences
from models.candidate_columns import OWN_FEATURES
from models.candidates.features import CandidateFeatures
from models.fields import CANDIDATE_FEATURES, N_CANDIDATE_FEATURES
from pipeline.dataset.candidates import CandidateSource, sampled_histories, sequences_of, snapshot_of
from pipeline.dataset.histories import Histories, read_histories
from pipeline.tables.vocabulary import FIRST_PRODUCT_INDEX
from tests.factories import BUSINESS_DATE, sequence
from tests.pipeline.dataset.sequences import N_KNOWN, SCHEMA, random_sequences

N_PRODUCTS = N_KNOWN + FIRST_PRODUCT_INDEX
TODAY = (BUSINESS_DATE - date(1970, 1, 1)).days


def histories_of(rows: list[dict[str, Any]]) -> Histories:
    return read_histories(pa.Table.from_pylist(rows, schema=SCHEMA))


def snapshot(rows: list[dict[str, Any]], day: int, customers: int = 1000) -> CandidateFeatures | None:
    return snapshot_of(sampled_histories([histories_of(rows)], day, N_PRODUCTS, customers), n_candidates=N_PRODUCTS)


def source_as_of(rows: list[dict[str, Any]], day: int, customers: int = 1000) -> CandidateSource:
    return CandidateSource((snapshot(rows, day, customers),))


def for_last_baskets(
    source: CandidateSource, histories: Histories, needed: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Candidates of everyone's last basket, from the baskets before it."""
    return source.find(histories, np.arange(len(histories)), histories.basket_offsets[1:] - 1, needed)


@pytest.mark.parametrize("others", [0, 40])
def test_features_have_the_columns_that_the_model_reads(others: int) -> None:
    rows = random_sequences(40)
    _, features = for_last_baskets(source_as_of(rows, TODAY, others), histories_of(rows))
    assert features.shape[2] == N_CANDIDATE_FEATURES


def test_features_of_own_products_are_the_same_with_and_without_a_snapshot() -> None:
    rows = random_sequences(40)
    histories = histories_of(rows)
    alone, own_features = for_last_baskets(CandidateSource(), histories)
    candidates, candidate_features = for_last_baskets(source_as_of(rows, TODAY), histories)
    for row in range(len(histories)):
        named = {int(product): place for place, product in enumerate(candidates[row])}
        own = alone[row][alone[row] > 0]
        is_own = [named[int(product)] for product in own]
        mine = slice(0, len(OWN_FEATURES) + 1)
        np.testing.assert_array_equal(candidate_features[row, is_own, mine], own_features[row, : len(own), mine])
        others = [place for product, place in named.items() if product not in own]
        assert not candidate_features[row, others, mine].any()
        assert len(named) == candidates.shape[1]


def test_a_snapshot_without_other_customers_gives_own_products_alone() -> None:
    histories = histories_of(random_sequences(1))
    source = CandidateSource.of_histories(BasketSequences.of_nobody(N_PRODUCTS), n_candidates=15)
    for found, own in zip(
        for_last_baskets(source, histories), for_last_baskets(CandidateSource(), histories), strict=True
    ):
        np.testing.assert_array_equal(found, own)


@pytest.mark.parametrize("days_before", [20, 35])
def test_what_others_buy_on_the_day_or_later_changes_nothing(days_before: int) -> None:
    rows = random_sequences(60)
    target = BUSINESS_DATE - timedelta(days=days_before)
    days = np.array([TODAY - before for before in (42, 28, 14)])
    customer = sequence(
        funnel_id="one",
        sold_on=[target - timedelta(days=9), target],
        products=[[3, 4], [5]],
        quantities=[[1.0, 1.0], [1.0]],
    )
    changed = [
        row
        | {
            "products": [
                [7] if day >= target else basket for day, basket in zip(row["sold_on"], row["products"], strict=True)
            ]
        }
        for row in rows
    ]
    changed = [row | {"quantities": [[1.0] * len(basket) for basket in row["products"]]} for row in changed]
    found = []
    for everyone in (rows, changed):
        snapshots = [snapshot([customer, *everyone], int(day)) for day in days]
        found.append(for_last_baskets(CandidateSource(snapshots, days), histories_of([customer])))
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)
    assert found[0][0].shape[1] > 2, "no snapshot was used"


def test_a_basket_older_than_every_snapshot_has_own_products_alone() -> None:
    rows = random_sequences(30)
    histories = histories_of(rows)
    source = CandidateSource([snapshot(rows, TODAY)], np.array([TODAY + 1]))
    for found, own in zip(
        for_last_baskets(source, histories), for_last_baskets(CandidateSource(), histories), strict=True
    ):
        np.testing.assert_array_equal(found, own)


def test_of_a_large_shop_a_sample_is_kept() -> None:
    histories = histories_of(random_sequences(200))
    some = sampled_histories([histories], TODAY, N_PRODUCTS, n_customers=50)
    assert 20 < len(some) < 100
    everyone = sampled_histories([histories], TODAY, N_PRODUCTS, n_customers=1000)
    assert len(everyone) == 200
    assert set(some.customers.tolist()) < set(everyone.customers.tolist())
    assert len(sampled_histories([histories], TODAY, N_PRODUCTS, n_customers=0)) == 0


def test_stores_are_not_sampled_as_customers() -> None:
    rows = [*random_sequences(5), sequence(funnel_kind="store", funnel_id="s1")]
    assert len(sampled_histories([histories_of(rows)], TODAY, N_PRODUCTS, 1000)) == 5


def test_a_product_on_two_lines_of_a_basket_is_one_purchase() -> None:
    histories = histories_of([sequence(products=[[5, 1, 5], [4]], quantities=[[1.0, 1.0, 1.0], [1.0]])])
    found = sequences_of(histories, np.array([0]), np.array([2]), N_PRODUCTS)
    assert found.product_ids.tolist() == [5, 4]
    assert found.product_offsets.tolist() == [0, 1, 2]


def test_a_customers_own_later_baskets_are_left_out() -> None:
    """One's own later baskets are in the snapshot of everyone: they must not reach the features."""
    rows = random_sequences(30)
    histories = histories_of(rows)
    changed = [rows[0] | {"products": [*rows[0]["products"][:-1], [21, 22]], "quantities": rows[0]["quantities"]}]
    changed[0]["quantities"] = [[1.0] * len(basket) for basket in changed[0]["products"]]
    column = CANDIDATE_FEATURES.index("log_neighbour_popularity")
    signals = []
    for everyone in (rows, [*changed, *rows[1:]]):
        candidates, features = for_last_baskets(source_as_of(everyone, TODAY), histories)
        signals.append(dict(zip(candidates[0].tolist(), features[0, :, column].tolist(), strict=True)))
    shared = signals[0].keys() & signals[1].keys()
    assert len(shared) > 10
    assert all(signals[0][product] == pytest.approx(signals[1][product]) for product in shared)


def test_a_twin_among_the_others_changes_the_features() -> None:
    rows = random_sequences(30)
    histories = histories_of(rows)
    twice = [*rows, rows[0] | {"funnel_id": "twin"}]
    with_twin, without = (for_last_baskets(source_as_of(each, TODAY), histories)[1][0] for each in (twice, rows))
    assert not np.array_equal(with_twin, without), "a twin is the nearest neighbour of all"


def test_examples_that_need_no_candidates_get_padding_and_change_no_other() -> None:
    rows = random_sequences(30)
    histories, source = histories_of(rows), source_as_of(rows, TODAY)
    needed = np.arange(30) % 3 > 0
    some, all_of_them = for_last_baskets(source, histories, needed), for_last_baskets(source, histories)
    for found, whole in zip(some, all_of_them, strict=True):
        assert not found[~needed].any()
        np.testing.assert_array_equal(found[needed], whole[needed])
