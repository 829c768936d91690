"""A hybrid of factorisation and content: an article is the sum of the vectors of its tags and of one of its own.

After LightFM (Kula 2015, Metadata Embeddings for User and Item Cold-start Recommendations), written with numpy: a
purchase is to score above an article drawn from those that were sold (BPR), learned by Adagrad.
"""

from typing import Any

import numpy as np
from scipy import sparse

from pipeline.evaluation.style_baselines import tag_matrix
from pipeline.evaluation.style_problem import Problem

_BATCH = 2048
_START = 0.1
_ENOUGH = 1e-6


class Hybrid:
    """Factors of customers, and of the tags and names of articles.

    Args: factors: of each; epochs: passes over the purchases; rate: of Adagrad; penalty: on squared factors.
    """

    def __init__(
        self, seed: int, *, factors: int = 32, epochs: int = 15, rate: float = 0.05, penalty: float = 1e-5
    ) -> None:
        self._seed, self._factors, self._epochs, self._rate, self._penalty = seed, factors, epochs, rate, penalty
        self.parameters = 0

    def scores(self, problem: Problem) -> np.ndarray:
        """Products of the factors and what an article's tags and name say to everyone; a new one has its tags alone."""
        customers, articles = self._learned(problem)
        return np.asarray(customers[problem.customers] @ articles[problem.store].T, np.float32)

    def vectors(self, problem: Problem) -> np.ndarray:
        """Factors of all articles without their popularity; float [V, factors]."""
        return self._learned(problem)[1][:, :-1]

    def _learned(self, problem: Problem) -> tuple[np.ndarray, np.ndarray]:
        """Factors of all customers and articles; float [N, factors + 1], [V, factors + 1]."""
        random, past = np.random.default_rng(self._seed), problem.past
        features = _features(problem)
        width = self._factors + 1
        customers = _Table(_START * random.normal(size=(past.n_customers, width)), self._rate, self._penalty)
        # The last factor of a customer is 1 and is not learned: those of articles are their popularity.
        customers.values[:, -1] = 1.0
        parts = _Table(_START * random.normal(size=(features.shape[1], width)), self._rate, self._penalty)
        parts.values[:, -1] = 0.0
        # A part that nothing teaches says nothing: the own part of an article that nobody bought.
        parts.values[np.asarray(features[past.sold()].sum(axis=0)).ravel() == 0] = 0.0
        self.parameters = customers.values.size + parts.values.size
        sold = np.flatnonzero(past.sold())
        for _ in range(self._epochs):
            order = random.permutation(len(past))
            for first in range(0, len(order), _BATCH):
                rows = order[first : first + _BATCH]
                others = random.choice(sold, len(rows))
                self._learn(customers, parts, past.customers[rows], features[past.items[rows]] - features[others])
        return customers.values, features @ parts.values

    def settings(self) -> dict[str, Any]:
        """Sizes and training."""
        return {
            "factors": self._factors,
            "epochs": self._epochs,
            "rate": self._rate,
            "penalty": self._penalty,
            "loss": "bpr",
        }

    def _learn(self, customers: "_Table", parts: "_Table", rows: np.ndarray, differences: sparse.csr_matrix) -> None:
        """One step; differences: float32 [B, tags], features of what was bought less those of another article."""
        of_items, of_customers = differences @ parts.values, customers.values[rows]
        slope = -1.0 / (1.0 + np.exp(np.clip((of_items * of_customers).sum(axis=1), -30.0, 30.0)))
        of_part = differences.T @ (slope[:, None] * of_customers)
        shape = len(customers.values), len(rows)
        counted = sparse.csr_matrix((np.ones(len(rows)), (rows, np.arange(len(rows)))), shape)
        of_customer = counted @ (slope[:, None] * of_items)
        of_customer[:, -1] = 0.0
        touched = np.unique(rows)
        customers.step(touched, of_customer[touched])
        touched = np.unique(differences.indices)
        parts.step(touched, of_part[touched])


class _Table:
    """Rows of factors, and the squares of their gradients so far."""

    def __init__(self, values: np.ndarray, rate: float, penalty: float) -> None:
        self.values, self._rate, self._penalty = values, rate, penalty
        self._squares = np.full(values.shape, _ENOUGH)

    def step(self, rows: np.ndarray, gradients: np.ndarray) -> None:
        """Adagrad on some rows."""
        gradients = gradients + self._penalty * np.where(gradients != 0.0, self.values[rows], 0.0)
        self._squares[rows] += gradients**2
        self.values[rows] -= self._rate * gradients / np.sqrt(self._squares[rows])


def _features(problem: Problem) -> sparse.csr_matrix:
    """Tags of articles, and one column of each one's own; float32 [V, tags + V]."""
    tags = tag_matrix(problem.articles)
    return sparse.csr_matrix(sparse.hstack([tags, sparse.identity(len(problem.articles), np.float32)]))
