"""Peers of the style models: popularity, own frequency, factorisation, content, and a blend of them."""

from typing import Any

import numpy as np
from scipy import sparse

from pipeline.benchmarks.styles.problems import Problem
from pipeline.dataset.purchases import Articles

_POPULAR_DAYS = 7
_TIE_DECAY_DAYS = 30.0


class Popularity:
    """How often everyone bought an article in the last days; ties by how often before, the latest first."""

    def __init__(self, days: float = _POPULAR_DAYS) -> None:
        self._days = days

    def scores(self, problem: Problem) -> np.ndarray:
        """The same for every customer."""
        past, age = problem.past, problem.cutoff - problem.past.times
        latest = np.bincount(past.items, age <= self._days, past.n_items)
        before = np.bincount(past.items, np.exp(-age / _TIE_DECAY_DAYS), past.n_items)
        popular = (latest + before / (1.0 + before.max()))[problem.store]
        return np.tile(popular.astype(np.float32), (len(problem.customers), 1))

    def settings(self) -> dict[str, Any]:
        """Days that are counted."""
        return {"days": self._days}


class OwnFrequency:
    """The customer's own purchases, each of which counts less with age, then popularity."""

    def __init__(self, decay_days: float = 30.0) -> None:
        self._decay_days = decay_days

    def scores(self, problem: Problem) -> np.ndarray:
        """Own decayed counts; popularity ranks what was never bought."""
        own = np.asarray(counts(problem, self._decay_days)[problem.customers][:, problem.store].todense())
        popular = Popularity().scores(problem)
        return own + np.float32(1e-3) * popular / popular.max()

    def settings(self) -> dict[str, Any]:
        """Days after which a purchase counts 1/e."""
        return {"decay_days": self._decay_days}


class Factorisation:
    """Implicit alternating least squares on plain or decayed counts (Hu, Koren, Volinsky 2008; the library `implicit`).

    Args: decay_days: None counts every purchase alike.
    """

    def __init__(self, seed: int, decay_days: float | None = None, factors: int = 16, alpha: float = 10.0) -> None:
        self._seed, self._decay_days, self._factors, self._alpha = seed, decay_days, factors, alpha
        self._iterations, self._regularization = 10, 10.0

    def scores(self, problem: Problem) -> np.ndarray:
        """Products of the factors; an article that nobody bought has none and scores 0."""
        from implicit.cpu.als import AlternatingLeastSquares

        model = AlternatingLeastSquares(
            factors=self._factors,
            iterations=self._iterations,
            regularization=self._regularization,
            alpha=self._alpha,
            random_state=self._seed,
            num_threads=1,
        )
        matrix = counts(problem, self._decay_days)
        matrix.data = np.log1p(matrix.data)
        model.fit(matrix.tocsr(), show_progress=False)
        of_customers, of_items = model.user_factors[problem.customers], model.item_factors[problem.store]
        return of_customers @ of_items.T

    def settings(self) -> dict[str, Any]:
        """Settings of the library's model."""
        return {
            "factors": self._factors,
            "alpha": self._alpha,
            "decay_days": self._decay_days,
            "iterations": self._iterations,
            "regularization": self._regularization,
        }


class Content:
    """How much an article's tags resemble those of the customer's purchases, each of which counts less with age."""

    def __init__(self, decay_days: float = 90.0) -> None:
        self._decay_days = decay_days

    def scores(self, problem: Problem) -> np.ndarray:
        """Cosine of tags weighted by their rarity."""
        tags = tag_matrix(problem.articles)
        profile = counts(problem, self._decay_days)[problem.customers] @ tags
        return np.asarray((_unit_rows(profile) @ tags[problem.store].T).todense(), np.float32)

    def settings(self) -> dict[str, Any]:
        """Days after which a purchase counts 1/e."""
        return {"decay_days": self._decay_days}


def counts(problem: Problem, decay_days: float | None) -> sparse.csr_matrix:
    """Purchases of every customer and article before the cutoff; float32 [N, V]."""
    past = problem.past
    age = problem.cutoff - past.times
    weight = np.ones(len(past)) if decay_days is None else np.exp(-age / decay_days)
    shape = past.n_customers, past.n_items
    return sparse.csr_matrix((weight.astype(np.float32), (past.customers, past.items)), shape=shape)


def tag_matrix(articles: Articles) -> sparse.csr_matrix:
    """Tags of articles weighted by rarity, rows of length 1; float32 [V, tags]."""
    shape = len(articles), max(len(articles.tag_names), 1)
    seen = np.bincount(articles.tags, minlength=shape[1])
    rarity = np.log((1.0 + len(articles)) / (1.0 + seen)) + 1.0
    values = rarity[articles.tags].astype(np.float32)
    return _unit_rows(sparse.csr_matrix((values, articles.tags, articles.tag_offsets), shape=shape))


def _unit_rows(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return sparse.csr_matrix(sparse.diags((1.0 / np.maximum(length, 1e-12)).astype(np.float32)) @ matrix)
