"""Lists by diversity: without it the best, with it less alike; figures by hand."""

import numpy as np

from pipeline.benchmarks.styles.diversity import figures, lists_of
from pipeline.dataset.purchases import Articles, Purchases
from pipeline.evaluation.style_problem import Problem


def test_lists_are_the_best_and_grow_less_alike() -> None:
    random = np.random.default_rng(0)
    scores, vectors = random.normal(size=(30, 80)), random.normal(size=(80, 3)).astype(np.float32)
    plain = lists_of(scores, vectors, 6, 0.0)
    np.testing.assert_array_equal(plain, np.argsort(-scores, axis=1, kind="stable")[:, :6])
    problem = question(30, 80)
    likeness = [figures(problem, lists_of(scores, vectors, 6, each), vectors)["likeness"] for each in (0.0, 0.4, 0.8)]
    assert likeness[0] > likeness[1] > likeness[2]


def test_figures_by_hand() -> None:
    """Of the first customer's two purchases the list holds one, of the second's one none."""
    problem = question(2, 4, rows=[0, 0, 1], columns=[1, 3, 2])
    vectors = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.float32)
    found = figures(problem, np.array([[0, 1], [0, 3]]), vectors)
    assert found == {"recall": 0.25, "likeness": 0.5, "shown": 0.75}


def question(customers: int, store: int, rows: list[int] | None = None, columns: list[int] | None = None) -> Problem:
    names = np.array([f"a{row}" for row in range(store)], object)
    articles = Articles.of_tags(names, [["tag"]] * store, np.zeros((store, 1)))
    nothing = np.zeros(0, np.int64)
    past = Purchases.sort(nothing, nothing, np.zeros(0), customers, store)
    return Problem(
        past,
        articles,
        10,
        np.arange(store, dtype=np.int32),
        np.arange(customers, dtype=np.int32),
        np.array(rows or [0]),
        np.array(columns or [0]),
    )
