"""The best products: as a full sort gives them, whatever the blocks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.best_products import best_products


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    size=st.tuples(st.integers(0, 9), st.integers(0, 30)),
    k=st.integers(1, 12),
    blocks=st.tuples(st.integers(1, 10), st.integers(1, 31)),
    share=st.floats(0, 1),
)
def test_the_best_are_those_of_a_full_sort_whatever_the_blocks(
    seed: int, size: tuple[int, int], k: int, blocks: tuple[int, int], share: float
) -> None:
    random, (rows, columns) = np.random.default_rng(seed), size
    # Small whole numbers: products are exact, and many tie.
    left, right = (random.integers(-2, 3, (n, 3)).astype(np.float32) for n in (rows, columns))
    chosen = np.flatnonzero(random.random(rows * columns) < share)
    values = random.choice(np.array([-np.inf, -1.0, 2.0], np.float32), len(chosen))
    at = (chosen // max(columns, 1), chosen % max(columns, 1), values)
    found, scores = best_products(left, right, k, at, rows_at_once=blocks[0], columns_at_once=blocks[1])
    every = left @ right.T
    every[at[0], at[1]] += values
    order = np.argsort(-every, axis=1, kind="stable")[:, :k]
    expected = np.take_along_axis(every, order, axis=1)
    order = np.where(np.isfinite(expected), order, -1)
    width = order.shape[1]
    np.testing.assert_array_equal(scores[:, :width], expected)
    np.testing.assert_array_equal(found[:, :width], order)
    assert (found[:, width:] == -1).all()
    assert np.isneginf(scores[:, width:]).all()


def test_nothing_need_be_added() -> None:
    found, scores = best_products(np.eye(2, dtype=np.float32), np.array([[1, 5], [3, 2]], np.float32), 1)
    assert found.tolist() == [[1], [0]]
    assert scores.ravel().tolist() == pytest.approx([3, 5])
