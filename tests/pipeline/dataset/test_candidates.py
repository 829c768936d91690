"""Candidates and their features: own products keep what is known of them, and no feature reads the future."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from models import lens
from models.basket_sequences import BasketSequences
from pipeline.dataset.candidates import (
    N_CANDIDATE_FEATURES,
    Everyone,
    Memory,
    OwnPast,
    Snapshots,
    memory_of,
    remembered,
    sequences_of,
)
from pipeline.dataset.histories import Histories, read_histories
from pipeline.dataset.own_products import N_OWN_FEATURES
from pipeline.tables.vocabulary import FIRST_PRODUCT_INDEX
from tests.factories import BUSINESS_DATE, sequence
from tests.pipeline.dataset.sequences import N_KNOWN, SCHEMA, random_sequences

N_PRODUCTS = N_KNOWN + FIRST_PRODUCT_INDEX
TODAY = (BUSINESS_DATE - date(1970, 1, 1)).days


def histories_of(rows: list[dict[str, Any]]) -> Histories:
    return read_histories(pa.Table.from_pylist(rows, schema=SCHEMA))


def memory_as_of(rows: list[dict[str, Any]], day: int, customers: int = 1000) -> Memory:
    return memory_of(remembered([histories_of(rows)], day, N_PRODUCTS, customers), n_candidates=N_PRODUCTS)


def asked(memory: Memory, histories: Histories) -> tuple[np.ndarray, np.ndarray]:
    """About everyone's last basket, from what came before it."""
    return memory.of(histories, np.arange(len(histories)), histories.basket_offsets[1:] - 1)


def test_the_model_reads_as_many_numbers_as_there_are() -> None:
    assert lens.N_CANDIDATE_FEATURES == N_CANDIDATE_FEATURES


def test_own_products_come_with_the_same_numbers_whoever_is_remembered() -> None:
    rows = random_sequences(40)
    histories = histories_of(rows)
    alone, own_evidence = asked(OwnPast(), histories)
    candidates, candidate_features = asked(memory_as_of(rows, TODAY), histories)
    for row in range(len(histories)):
        named = {int(product): place for place, product in enumerate(candidates[row])}
        own = alone[row][alone[row] > 0]
        is_own = [named[int(product)] for product in own]
        mine = slice(0, N_OWN_FEATURES + 1)
        np.testing.assert_array_equal(candidate_features[row, is_own, mine], own_evidence[row, : len(own), mine])
        others = [place for product, place in named.items() if product not in own]
        assert not candidate_features[row, others, mine].any()
        assert len(named) == candidates.shape[1]


def test_a_memory_without_others_names_own_products_alone() -> None:
    histories = histories_of(random_sequences(1))
    memory = memory_of(BasketSequences.of_nobody(N_PRODUCTS), n_candidates=15)
    for found, own in zip(asked(memory, histories), asked(OwnPast(), histories), strict=True):
        np.testing.assert_array_equal(found, own)


@pytest.mark.parametrize("days_before", [20, 35])
def test_what_others_buy_on_the_day_or_later_changes_nothing(days_before: int) -> None:
    rows = random_sequences(60)
    target = BUSINESS_DATE - timedelta(days=days_before)
    days = np.array([TODAY - before for before in (42, 28, 14)])
    asker = sequence(
        funnel_id="asker",
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
        memory = Snapshots(days, [memory_as_of([asker, *everyone], int(day)) for day in days])
        found.append(asked(memory, histories_of([asker])))
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)
    assert found[0][0].shape[1] > 2, "no memory was asked"


def test_a_basket_older_than_every_memory_has_own_products_alone() -> None:
    rows = random_sequences(30)
    histories = histories_of(rows)
    memory = Snapshots(np.array([TODAY + 1]), [memory_as_of(rows, TODAY)])
    for found, own in zip(asked(memory, histories), asked(OwnPast(), histories), strict=True):
        np.testing.assert_array_equal(found, own)


def test_a_large_shop_is_remembered_in_part() -> None:
    histories = histories_of(random_sequences(200))
    some = remembered([histories], TODAY, N_PRODUCTS, n_customers=50)
    assert 20 < len(some) < 100
    everyone = remembered([histories], TODAY, N_PRODUCTS, n_customers=1000)
    assert len(everyone) == 200
    assert set(some.customers.tolist()) < set(everyone.customers.tolist())
    assert len(remembered([histories], TODAY, N_PRODUCTS, n_customers=0)) == 0


def test_stores_are_not_remembered_as_customers() -> None:
    rows = [*random_sequences(5), sequence(funnel_kind="store", funnel_id="s1")]
    assert len(remembered([histories_of(rows)], TODAY, N_PRODUCTS, 1000)) == 5


def test_a_product_on_two_lines_of_a_basket_is_one_purchase() -> None:
    histories = histories_of([sequence(products=[[5, 1, 5], [4]], quantities=[[1.0, 1.0, 1.0], [1.0]])])
    found = sequences_of(histories, np.array([0]), np.array([2]), N_PRODUCTS)
    assert found.product_ids.tolist() == [5, 4]
    assert found.product_offsets.tolist() == [0, 1, 2]


def test_a_customer_is_not_asked_about_itself() -> None:
    """One's own later baskets are in the memory of everyone: they must not speak."""
    rows = random_sequences(30)
    histories = histories_of(rows)
    memory = memory_as_of(rows, TODAY)
    assert isinstance(memory, Everyone)
    twice = [*rows, rows[0] | {"funnel_id": "twin"}]
    near = asked(memory_as_of(twice, TODAY), histories)[1][0]
    assert not np.array_equal(near, asked(memory, histories)[1][0]), "a twin is the nearest neighbour of all"
