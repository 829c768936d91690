"""Product vectors: products that are bought together, or one after another, come to stand near each other."""

import numpy as np
import pytest

from models.product_vectors import co_occurrence_vectors
from models.special_ids import FIRST_PRODUCT
from tests.models.baskets import sequences

N_PRODUCTS, UNITS = 13, 4
ALONE = N_PRODUCTS - 1


def cosine(vectors: np.ndarray, one: int, other: int) -> float:
    return float(vectors[one] @ vectors[other] / np.linalg.norm(vectors[one]) / np.linalg.norm(vectors[other]))


@pytest.fixture
def vectors() -> np.ndarray:
    random = np.random.default_rng(0)
    early, late = np.arange(3, 7), np.arange(7, 11)
    # Half the customers buy of one kind, half of another: in one basket, and from basket to basket.
    baskets = [
        [sorted(random.choice(kind, 2, replace=False).tolist()) for _ in range(3)] for kind in (early, late) * 40
    ]
    return co_occurrence_vectors(sequences(*baskets, [[ALONE]], n_products=N_PRODUCTS), UNITS)


def test_products_of_one_kind_are_near_each_other(vectors: np.ndarray) -> None:
    assert cosine(vectors, 3, 4) > 0.5
    assert cosine(vectors, 3, 8) < 0.2


def test_what_has_no_company_has_no_vector(vectors: np.ndarray) -> None:
    assert not vectors[ALONE].any()
    assert not vectors[:FIRST_PRODUCT].any()


def test_they_are_of_unit_spread_and_the_same_each_time(vectors: np.ndarray) -> None:
    assert vectors[vectors.any(axis=1)].std() == pytest.approx(1.0, rel=1e-5)
    assert vectors.shape == (N_PRODUCTS, UNITS)


def test_nobody_gives_no_vectors() -> None:
    assert not co_occurrence_vectors(sequences([[3]], n_products=N_PRODUCTS), UNITS).any()
