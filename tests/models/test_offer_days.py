"""Buckets become days without losing probability, and what was waited for already is gone."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.offer_days import HORIZON_DAYS, due_offers, shares_of_days

EDGES = st.lists(st.integers(1, 90), min_size=1, max_size=6, unique=True).map(
    lambda days: np.array(sorted(days), float)
)


@given(EDGES)
def test_each_bucket_is_spread_over_its_own_days(edges: np.ndarray) -> None:
    shares = shares_of_days(edges)
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)
    day = np.arange(1, HORIZON_DAYS + 1)
    for bucket, first in enumerate(np.concatenate([[0.0], edges])):
        last = edges[bucket] if bucket < len(edges) else np.inf
        assert (shares[bucket][(day <= first) | (day > last)] == 0).all()


@given(EDGES, st.integers(0, 2000), st.integers(0, 10**6))
def test_probabilities_stay_probabilities_however_long_was_waited(edges: np.ndarray, waited: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    joint = random.random((1, 6, len(edges) + 1))
    joint[:, :3] = 0.0
    joint /= joint.sum()
    due = due_offers(joint, edges, np.array([waited]), horizon=28)
    np.testing.assert_allclose(due.buckets.sum(), 1.0)
    np.testing.assert_allclose(due.offers, due.buckets.sum(axis=2))
    assert (np.diff(due.by_day, axis=2) >= -1e-9).all()
    assert (due.by_day <= due.offers[:, :, None] + 1e-9).all()
    assert (due.offers[:, :3] == 0).all()
    assert np.isfinite(due.mean_days).all()


def test_nothing_waited_changes_nothing_and_a_bucket_that_is_over_is_out() -> None:
    joint, edges = np.zeros((1, 5, 3)), np.array([7.0, 14.0])
    joint[0, 3], joint[0, 4] = (0.4, 0.1, 0.0), (0.1, 0.2, 0.2)
    np.testing.assert_allclose(due_offers(joint, edges, np.array([0]), 28).buckets, joint)
    due = due_offers(joint, edges, np.array([7]), 28)
    assert (due.buckets[:, :, 0] == 0).all()
    np.testing.assert_allclose(due.offers[0, 3:], [0.2, 0.8])
    np.testing.assert_allclose(due.by_day[0, 3, :7], 0.2 * np.arange(1, 8) / 7)
