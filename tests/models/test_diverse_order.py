"""A diverse list holds the best candidate first, each one once, and fewer that are alike as diversity grows."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.diverse_order import diverse_order


def candidates(rows: int, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    scores = random.normal(size=(rows, count)).astype(np.float32)
    return scores, random.normal(size=(rows, count, 4)).astype(np.float32)


def likeness(vectors: np.ndarray) -> float:
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return float((unit @ unit.T)[np.triu_indices(len(unit), 1)].mean())


@settings(max_examples=50)
@given(st.integers(1, 5), st.integers(1, 12), st.integers(1, 15), st.floats(0.0, 0.9), st.integers(0, 2**16))
def test_every_place_holds_another_candidate_and_the_first_the_best(
    rows: int, count: int, k: int, diversity: float, seed: int
) -> None:
    scores, vectors = candidates(rows, count, seed)
    gone = np.random.default_rng(seed).random(scores.shape) < 0.3
    scores[gone] = -np.inf
    found = diverse_order(scores, vectors, k, diversity)
    assert found.shape == (rows, k)
    for row in range(rows):
        kept = found[row][found[row] >= 0]
        there = np.isfinite(scores[row])
        assert len(set(kept.tolist())) == len(kept) == min(k, there.sum())
        assert there[kept].all()
        assert (found[row][len(kept) :] == -1).all()
        if len(kept):
            assert scores[row, kept[0]] == scores[row].max()


@settings(max_examples=30)
@given(st.integers(1, 10), st.integers(0, 2**16))
def test_without_diversity_it_is_the_order_of_the_scores(count: int, seed: int) -> None:
    scores, vectors = candidates(3, count, seed)
    np.testing.assert_array_equal(
        diverse_order(scores, vectors, count, 0.0), np.argsort(-scores, axis=1, kind="stable")
    )


def test_what_is_said_of_a_row_depends_on_that_row_alone() -> None:
    scores, vectors = candidates(6, 10, 0)
    whole = diverse_order(scores, vectors, 4, 0.4)
    for row in range(6):
        np.testing.assert_array_equal(
            diverse_order(scores[row : row + 1], vectors[row : row + 1], 4, 0.4)[0], whole[row]
        )


def test_a_twin_of_the_best_waits() -> None:
    scores = np.array([[3.0, 2.9, 2.0, 0.0]], np.float32)
    vectors = np.array([[[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]], np.float32)
    assert diverse_order(scores, vectors, 3, 0.0)[0].tolist() == [0, 1, 2]
    assert diverse_order(scores, vectors, 3, 0.5)[0].tolist() == [0, 2, 1]


def test_lists_are_less_alike_as_diversity_grows() -> None:
    scores, vectors = candidates(40, 60, 1)
    means = []
    for diversity in (0.0, 0.3, 0.6, 0.9):
        found = diverse_order(scores, vectors, 10, diversity)
        means.append(np.mean([likeness(vectors[row, found[row]]) for row in range(len(found))]))
    assert means == sorted(means, reverse=True)
    assert means[0] - means[-1] > 0.05
