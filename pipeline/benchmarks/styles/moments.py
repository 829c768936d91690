"""What the model of style reads, without a network: a linear ranking and boosted trees over every moment of customers.

A moment is an order, compared with what was in store (`pipeline/dataset/style_examples.py`). Articles have two vectors:
of their tags, and of who bought them. The latter are learned of other customers than those whose moments are learned:
factors that were learned of a purchase know it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from models.ragged import ranges
from models.style_config import StyleConfig
from models.style_fields import CANDIDATE_OWN, CANDIDATE_SIGNALS, CANDIDATE_VECTORS, CANDIDATE_WEIGHTS, PROFILES, ROWS
from pipeline.benchmarks.styles.problems import article_numbers, style_customers
from pipeline.dataset.style_examples import BOUGHT_OF_ORDER, StyleExamples, pair_signals
from pipeline.dataset.style_steps import Histories
from pipeline.evaluation.style_baselines import counts, tag_matrix
from pipeline.evaluation.style_problem import Problem
from pipeline.task import Batch

_TAG_UNITS, _FACTORS = 64, 32
_BATCH = 32
_MOST_BATCHES = 60
_SOLD_7, _SOLD_30 = 1, 3  # of ITEM_SIGNALS


@dataclass(frozen=True)
class MomentsConfig:
    """How moments are learned.

    Args: kinds: that are averaged; vectors_share: of the customers, who teach the factors; negatives: of each order;
          new_weight: see `StyleConfig`.
    """

    kinds: tuple[str, ...] = ("linear", "boosted")
    vectors_share: float = 0.65
    negatives: int = 30
    new_weight: float = 2.5


class Moments:
    """The mean of a linear ranking and of boosted trees, each in its own standard deviations over what is in store."""

    def __init__(self, seed: int, config: MomentsConfig | None = None) -> None:
        self._seed, self._config = seed, config or MomentsConfig()

    def scores(self, problem: Problem) -> np.ndarray:
        """Of the customers asked."""
        config = self._config
        teach = style_customers(problem, config.vectors_share)
        style = StyleConfig(
            vector_units=_TAG_UNITS + _FACTORS, negatives=config.negatives, new_weight=config.new_weight
        )
        histories = Histories(problem.past, _vectors(problem, teach, self._seed), style, seasons=False)
        numbers = article_numbers(problem)
        examples = StyleExamples(
            histories, problem.assortment, float(problem.cutoff), numbers, customers=teach, seed=self._seed
        )
        batches = [
            examples.batch(step, _BATCH) for step in range(min(2 * examples.steps_per_epoch(_BATCH), _MOST_BATCHES))
        ]
        learned = [_LEARN[kind](batches, self._seed) for kind in config.kinds]
        total = np.zeros((len(problem.customers), len(problem.store)), np.float32)
        asked = _Asked(problem, histories, examples)
        for row in range(len(problem.customers)):
            features = asked.features(row)
            for model in learned:
                found = model(features)
                total[row] += found / max(float(found.std()), 1e-9)
        return total

    def settings(self) -> dict[str, Any]:
        """The configuration."""
        config = self._config
        return {
            "kinds": list(config.kinds),
            "vectors_share": config.vectors_share,
            "negatives": config.negatives,
            "new_weight": config.new_weight,
        }


class _Asked:
    """Features of everything in store for the customers asked."""

    def __init__(self, problem: Problem, histories: Histories, examples: StyleExamples) -> None:
        self._problem, self._histories = problem, histories
        steps = histories.read(problem.customers, np.random.default_rng(0), at=float(problem.cutoff))
        self._profiles = steps.arrays[PROFILES][np.arange(len(problem.customers)), steps.lengths - 1]
        self._signals = examples.signals.at(problem.cutoff, problem.store)
        self._column_of = np.full(problem.past.n_items, -1)
        self._column_of[problem.store] = np.arange(len(problem.store))
        self._n_orders = np.diff(histories.order_offsets)[problem.customers]

    def features(self, row: int) -> np.ndarray:
        """Of one customer; float32 [S, F]."""
        problem, past = self._problem, self._problem.past
        first, end = past.offsets[problem.customers[row]], past.offsets[problem.customers[row] + 1]
        earlier = ranges(np.array([first]), np.array([end - first]))
        columns = self._column_of[past.items[earlier]]
        kept = columns >= 0
        n_orders = np.full(len(problem.store), self._n_orders[row])
        ages = problem.cutoff - past.times[earlier][kept]
        own = pair_signals(np.arange(len(problem.store)), columns[kept], ages, n_orders)
        vectors = self._histories.vectors[problem.store]
        return _features(self._profiles[row][None], vectors[None], self._signals[None], own[None])[0]


def _vectors(problem: Problem, teach: np.ndarray, seed: int) -> np.ndarray:
    """Vectors of tags, and of who bought an article, 0 for one that nobody did; float32 [V, 64 + 32]."""
    from implicit.cpu.als import AlternatingLeastSquares
    from sklearn.utils.extmath import randomized_svd

    tags = tag_matrix(problem.articles)
    found = np.zeros((len(problem.articles), _TAG_UNITS + _FACTORS), np.float32)
    rank = min(_TAG_UNITS, *tags.shape)
    left, strengths, _ = randomized_svd(tags, n_components=rank, random_state=seed)
    of_tags = left * strengths
    of_tags -= of_tags.mean(axis=0)
    found[:, :rank] = of_tags / max(float(np.sqrt((of_tags**2).mean())), 1e-9)
    matrix = counts(problem, None)
    matrix.data = np.log1p(matrix.data)
    matrix = matrix[np.setdiff1d(np.unique(problem.past.customers), teach)].tocsr()
    model = AlternatingLeastSquares(
        factors=_FACTORS, regularization=20.0, alpha=10.0, iterations=10, random_state=seed, num_threads=1
    )
    model.fit(matrix, show_progress=False)
    lengths = np.linalg.norm(model.item_factors, axis=1, keepdims=True)
    factors = model.item_factors / np.maximum(lengths, 1e-6) * np.sqrt(_FACTORS)
    bought = np.bincount(matrix.indices, minlength=len(problem.articles)) > 0
    found[bought, _TAG_UNITS:] = factors[bought]
    return found


def _features(profiles: np.ndarray, vectors: np.ndarray, signals: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Likeness to what was bought in both spaces, signals, own signals; float32 [R, C, F]."""
    spaces = slice(0, _TAG_UNITS), slice(_TAG_UNITS, None)
    likeness = [np.matmul(vectors[..., of], profiles[..., of].swapaxes(1, 2)) / _TAG_UNITS for of in spaces]
    sold = signals[..., [_SOLD_7, _SOLD_30]] * own[..., :1]
    return np.concatenate([*likeness, signals, own, sold], axis=2)


def _of_batch(batch: Batch) -> np.ndarray:
    profiles = batch[PROFILES]
    of_rows = profiles.reshape(-1, *profiles.shape[2:])[batch[ROWS]]
    return _features(of_rows, batch[CANDIDATE_VECTORS], batch[CANDIDATE_SIGNALS], batch[CANDIDATE_OWN])


def _learn_linear(batches: list[Batch], seed: int) -> Any:
    """Weights by which what was bought ranks above what was not: logistic regression on differences."""
    from sklearn.linear_model import LogisticRegression

    random = np.random.default_rng(seed)
    differences, weights = [], []
    for batch in batches:
        features, weight = _of_batch(batch), batch[CANDIDATE_WEIGHTS]
        rows, columns = np.nonzero(weight[:, :BOUGHT_OF_ORDER])
        for _ in range(4):
            others = random.integers(BOUGHT_OF_ORDER, weight.shape[1], len(rows))
            counted = weight[rows, others] > 0
            pairs = features[rows, columns] - features[rows, others]
            differences.append(pairs[counted])
            weights.append(weight[rows, columns][counted])
    found, counted = np.concatenate(differences), np.concatenate(weights)
    spread = found.std(axis=0) + 1e-9
    sign = np.where(np.arange(len(found)) % 2, 1.0, -1.0)
    model = LogisticRegression(fit_intercept=False, max_iter=200)
    model.fit(found / spread * sign[:, None], sign, sample_weight=counted)
    by_feature = model.coef_[0] / spread
    return lambda features: features @ by_feature


def _learn_boosted(batches: list[Batch], seed: int) -> Any:
    """Trees that tell what was bought; the others of an order weigh as much as what it holds."""
    from lightgbm import LGBMClassifier

    features, labels, weights = [], [], []
    for batch in batches:
        weight = batch[CANDIDATE_WEIGHTS].copy()
        n_others = weight.shape[1] - BOUGHT_OF_ORDER
        weight[:, -n_others:] *= weight[:, :-n_others].sum(axis=1, keepdims=True) / n_others
        bought = np.zeros(weight.shape, bool)
        bought[:, :-n_others] = True
        counted = weight > 0
        features.append(_of_batch(batch)[counted])
        labels.append(bought[counted])
        weights.append(weight[counted])
    model = LGBMClassifier(
        n_estimators=150,
        learning_rate=0.06,
        num_leaves=24,
        min_child_samples=200,
        subsample=0.7,
        subsample_freq=1,
        colsample_bytree=0.6,
        reg_lambda=5.0,
        random_state=seed,
        deterministic=True,
        n_jobs=1,
        verbose=-1,
    )
    model.fit(np.concatenate(features), np.concatenate(labels), sample_weight=np.concatenate(weights))
    return lambda features: model.predict(features, raw_score=True)


_LEARN = {"linear": _learn_linear, "boosted": _learn_boosted}
