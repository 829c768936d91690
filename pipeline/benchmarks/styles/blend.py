"""A blend of the simple methods and of what sells: boosted trees, trained on an earlier cutoff of the same shop."""

from typing import Any

import numpy as np

from pipeline.benchmarks.styles.problems import earlier
from pipeline.benchmarks.styles.simple import Factorisation
from pipeline.dataset.style_signals import ItemSignals
from pipeline.evaluation.style_baselines import Content, counts
from pipeline.evaluation.style_problem import Problem

_NEGATIVES = 50
_DECAYS, _FACTOR_DECAYS = (None, 7.0, 30.0), (None, 90.0)
_ROWS_AT_ONCE = 100


class Blend:
    """Probability to be bought from the scores of other methods, own counts, signals of articles, and their price.

    Everything it reads of the earlier cutoff, the factors included, is from before that cutoff.
    """

    def __init__(self, seed: int, *, linear: bool = False) -> None:
        self._seed, self._linear = seed, linear

    def scores(self, problem: Problem) -> np.ndarray:
        """Of the model that the earlier cutoff trained."""
        before = earlier(problem)
        features, random = _features(before, self._seed), np.random.default_rng(self._seed)
        n_store = len(before.store)
        bought = before.rows * n_store + before.columns
        drawn = random.integers(0, len(before.customers) * n_store, _NEGATIVES * len(bought))
        drawn = np.setdiff1d(drawn, bought)
        pairs = np.concatenate([bought, drawn])
        labels = np.arange(len(pairs)) < len(bought)
        model = self._model()
        model.fit(features(pairs // n_store, pairs % n_store), labels)
        features = _features(problem, self._seed)
        columns, found = np.arange(len(problem.store)), []
        for first in range(0, len(problem.customers), _ROWS_AT_ONCE):
            rows = np.arange(first, min(first + _ROWS_AT_ONCE, len(problem.customers)))
            values = features(np.repeat(rows, len(columns)), np.tile(columns, len(rows)))
            found.append(model.predict_proba(values)[:, 1].reshape(len(rows), -1).astype(np.float32))
        return np.concatenate(found)

    def settings(self) -> dict[str, Any]:
        """The kind of model, and the factors that it reads."""
        factors = Factorisation(self._seed).settings() | {"decay_days": list(_FACTOR_DECAYS)}
        return {"linear": self._linear, "negatives": _NEGATIVES, "factors": factors}

    def _model(self) -> Any:
        if self._linear:
            from sklearn.linear_model import LogisticRegression
            from sklearn.pipeline import make_pipeline
            from sklearn.preprocessing import StandardScaler

            return make_pipeline(StandardScaler(), LogisticRegression(max_iter=300))
        from lightgbm import LGBMClassifier

        return LGBMClassifier(
            n_estimators=200,
            learning_rate=0.05,
            num_leaves=31,
            min_child_samples=100,
            random_state=self._seed,
            deterministic=True,
            n_jobs=1,
            verbose=-1,
        )


def _features(problem: Problem, seed: int) -> Any:
    """A function from positions of customers and of articles in store to their features; float32 [n, F]."""
    own = [counts(problem, days)[problem.customers][:, problem.store].tocsr() for days in _DECAYS]
    scores = [Content().scores(problem)]
    scores += [Factorisation(seed, days).scores(problem) for days in _FACTOR_DECAYS]
    signals = ItemSignals(problem.past).at(problem.cutoff)[problem.store]
    numbers = problem.articles.numbers[problem.store]
    orders = problem.past.take(np.isin(problem.past.customers, problem.customers))
    n_orders = np.bincount(
        orders.customers[np.unique(orders.orders, return_index=True)[1]], minlength=orders.n_customers
    )
    activity = np.log1p(n_orders[problem.customers])

    def of_pairs(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        parts = [np.asarray(each[rows, columns]).ravel()[:, None] for each in (*own, *scores)]
        return np.concatenate([*parts, signals[columns], numbers[columns], activity[rows][:, None]], axis=1)

    return of_pairs
