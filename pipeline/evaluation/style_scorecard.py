"""Scorecard figures of rankings: customers in blocks, so that no matrix of all customers and articles is made."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from scipy import sparse

from pipeline.evaluation.style_baselines import Content, Popularity, counts
from pipeline.evaluation.style_metrics import COVERED, ranks, style_scores
from pipeline.evaluation.style_problem import Problem
from pipeline.task import Metrics

PROFILE_DAYS = 90.0
SMALLER_IS_BETTER = frozenset(f"covers_{share}" for share in COVERED)
_CUSTOMERS_AT_ONCE = 256


def measure_ranking(problem: Problem, scores: Callable[[Problem], np.ndarray], limit: int) -> Metrics:
    """Figures of a ranking of what is in store, of the first `limit` customers that are asked.

    Args: scores: higher is better, float [C, S], of the customers of a problem.
    """
    problem = first_customers(problem, limit)
    found = [ranks(part, scores(part)) for part in _blocks(problem)]
    return style_scores(problem, {name: np.concatenate([each[name] for each in found]) for name in found[0]})


def measure_baselines(problem: Problem, limit: int, methods: dict[str, Popularity | Content]) -> dict[str, Metrics]:
    """The same of simple methods."""
    return {name: measure_ranking(problem, method.scores, limit) for name, method in methods.items()}


def profile_scores(problem: Problem, vectors: np.ndarray) -> np.ndarray:
    """Likeness of articles in store to the mean of what a customer bought, which counts less with age; float [C, S].

    Args: vectors: float32 [V, D].
    """
    bought = counts(problem, PROFILE_DAYS)[problem.customers]
    profile = unit_rows(np.asarray(sparse.csr_matrix(bought) @ vectors))
    return np.asarray(profile @ unit_rows(vectors[problem.store]).T)


def unit_rows(vectors: np.ndarray) -> np.ndarray:
    """Rows of length 1; one of zeros stays as it is."""
    found: np.ndarray = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return found


def first_customers(problem: Problem, limit: int) -> Problem:
    """The question of the first customers alone."""
    return _part(problem, 0, limit)


def _blocks(problem: Problem) -> Iterator[Problem]:
    for first in range(0, len(problem.customers), _CUSTOMERS_AT_ONCE):
        yield _part(problem, first, first + _CUSTOMERS_AT_ONCE)


def _part(problem: Problem, first: int, end: int) -> Problem:
    chosen = (problem.rows >= first) & (problem.rows < end)
    return replace(
        problem,
        customers=problem.customers[first:end],
        rows=problem.rows[chosen] - first,
        columns=problem.columns[chosen],
    )
