"""Likeness of customers and products against examples worked by hand."""

import numpy as np
import pytest

from models.candidates.affinities import asymmetric_cosine, nearest, product_similarity, purchases, transitions
from tests.models.baskets import random_sequences, sequences


def test_transitions_count_the_next_basket_only() -> None:
    follows = transitions(sequences([[3], [4], [5]], [[3], [4, 6]]), 10).toarray()
    # 3 came before a basket twice; five baskets of prior.
    assert follows[3, 4] == pytest.approx(2 / 7)
    assert follows[3, 6] == pytest.approx(1 / 7)
    assert follows[3, 5] == 0.0
    assert follows[4, 5] == pytest.approx(1 / 6)


def test_only_the_largest_transitions_are_kept() -> None:
    follows = transitions(sequences([[3], [4], [5]], [[3], [4, 6]]), 1)
    assert follows[[3]].toarray().nonzero()[1].tolist() == [4]


def test_products_bought_by_the_same_customers_are_alike() -> None:
    alike = product_similarity(purchases(sequences([[3, 4]], [[3], [4]], [[3, 5]])), 10).toarray()
    assert alike[3, 4] == pytest.approx(2 / np.sqrt(8 * 7))
    assert alike[3, 5] == pytest.approx(1 / np.sqrt(8 * 6))
    assert alike[3, 3] == 0.0
    np.testing.assert_allclose(alike, alike.T)


def test_the_excluded_row_is_never_a_neighbour() -> None:
    given = random_sequences()
    bought, everyone = purchases(given), np.arange(len(given))
    with_self, without = nearest(bought, bought, 3), nearest(bought, bought, 3, everyone)
    assert np.all(with_self.diagonal() > 0)
    assert np.all(without.diagonal() == 0)
    assert np.all(np.diag(asymmetric_cosine(bought, bought, 0.75, everyone)) == 0)
    np.testing.assert_allclose(np.diag(asymmetric_cosine(bought, bought, 0.75)), 1.0, rtol=1e-6)
