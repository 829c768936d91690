"""Folds of customers: alike every night, of equal size, and unrelated to samples by remainder."""

import numpy as np
import pytest

from models.folds import N_FOLDS, folds_of
from models.keys import keys_of

KEYS = keys_of(f"customer {number}" for number in range(12_000))


def test_every_customer_is_in_one_fold_and_folds_are_of_equal_size() -> None:
    folds = folds_of(KEYS)
    assert folds.dtype == np.int32
    assert np.unique(folds).tolist() == list(range(1, N_FOLDS + 1))
    np.testing.assert_allclose(np.bincount(folds)[1:] / len(folds), 1 / N_FOLDS, atol=0.02)


def test_the_fold_depends_on_the_key_alone() -> None:
    order = np.random.default_rng(0).permutation(len(KEYS))
    np.testing.assert_array_equal(folds_of(KEYS[order]), folds_of(KEYS)[order])


@pytest.mark.parametrize("one_in", [2, N_FOLDS, 6, 2 * N_FOLDS])
def test_a_sample_by_remainder_holds_customers_of_every_fold_alike(one_in: int) -> None:
    folds = folds_of(KEYS[KEYS % one_in == 0])
    np.testing.assert_allclose(np.bincount(folds)[1:] / len(folds), 1 / N_FOLDS, atol=0.05)
