"""What ranks without a model of style: popularity, and what resembles earlier purchases by its tags."""

from typing import Any

import numpy as np
from scipy import sparse

from pipeline.dataset.purchases import Articles
from pipeline.evaluation.style_problem import Problem

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
