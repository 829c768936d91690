"""Peers of the style models that only benchmarks compare with: own frequency and factorisation."""

from typing import Any

import numpy as np

from pipeline.evaluation.style_baselines import Popularity, counts
from pipeline.evaluation.style_problem import Problem


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
