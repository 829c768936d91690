"""Basket sequences: cutting, joining, counting."""

import numpy as np

from models.basket_sequences import BasketSequences
from tests.models.baskets import as_lists, random_sequences, sequences
from tests.models.batches import N_PRODUCTS, padded, random_batch

GIVEN = ([[3, 4], [5], [4, 6]], [[7]], [[3], [3, 8]])


def test_history_and_last_basket_make_up_the_sequence() -> None:
    given = sequences(*GIVEN)
    assert as_lists(given.without_last()) == [[[3, 4], [5]], [], [[3]]]
    assert as_lists(given.last()) == [[[4, 6]], [[7]], [[3, 8]]]


def test_customers_are_taken_in_the_order_asked_for() -> None:
    taken = sequences(*GIVEN).take(np.array([2, 0]))
    assert as_lists(taken) == [GIVEN[2], GIVEN[0]]
    assert taken.customers.tolist() == [2, 0]


def test_joining_undoes_parting() -> None:
    given = random_sequences()
    parts = [given.take(np.arange(20)), given.take(np.arange(20, 60))]
    assert as_lists(BasketSequences.joined(parts)) == as_lists(given)


def test_counts_and_latest_baskets_of_each_product() -> None:
    given = sequences(*GIVEN)
    counts = given.matrix()
    assert counts.toarray()[0, 3:7].tolist() == [1, 2, 1, 1]
    latest = dict(zip(counts.indices[: counts.indptr[1]].tolist(), given.latest(counts).tolist(), strict=False))
    assert latest == {3: 2, 4: 0, 5: 1, 6: 0}


def test_a_batch_gives_its_known_products_whatever_its_padding() -> None:
    batch = random_batch()
    ours, theirs = (BasketSequences.of_batch(each, N_PRODUCTS) for each in (batch, padded(batch)))
    assert as_lists(ours) == as_lists(theirs)
    row = batch["basket_rows"][0, 0] - 1
    assert as_lists(ours)[0][0] == sorted({int(product) for product in batch["product_ids"][row] if product >= 3})
