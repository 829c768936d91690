"""Gradient-boosted trees over candidate features: a ranker (LightGBM) and a classifier (XGBoost).

Both learn which candidates are in the training customers' last baskets, from the histories before them, and stop when
the validation customers' last baskets are no longer ranked better.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from models.baselines.next_basket import Ranking
from models.basket_sequences import BasketSequences
from models.boosting import Trees
from models.candidate_columns import FEATURES, OF_CUSTOMER, OF_PAIR, OF_PRODUCT
from models.candidates.features import CandidateFeatures, Candidates, FeatureConfig

if TYPE_CHECKING:
    import lightgbm
    import xgboost


@dataclass(frozen=True)
class BoostingConfig(Trees):
    """Trees and how they are grown."""

    feature_share: float = 0.7
    n_trees: int = 400
    max_depth: int = 6  # XGBoost grows by depth, LightGBM by leaves
    row_share: float = 0.8
    stop_after: int = 30  # trees without a better validation score
    truncation: int = 20  # ranked products that the ranker's loss reads
    n_parts: int = 1  # see `shown`


class LambdaMartRanker:
    """LightGBM's LambdaMART; a score is the sum of its trees' values, which may be negative."""

    def __init__(self, config: BoostingConfig | None = None, features: FeatureConfig | None = None) -> None:
        self._config, self._feature_config = config or BoostingConfig(), features or FeatureConfig()
        self._source: CandidateFeatures | None = None
        self._trees: lightgbm.Booster | None = None

    def fit(self, train: BasketSequences, validation: BasketSequences, histories: BasketSequences) -> None:
        """Grow trees on the training customers' candidates."""
        import lightgbm as lgb

        config = self._config
        self._source, trained, validated = shown(train, validation, histories, self._feature_config, config)
        trained = with_hit(trained)
        data = [
            lgb.Dataset(*each.table, group=each.groups, feature_name=list(FEATURES)) for each in (trained, validated)
        ]
        self._trees = lambdamart(config, data)

    def rank(self, histories: BasketSequences, k: int) -> Ranking:
        """The candidates with the largest scores."""
        if self._source is None or self._trees is None:
            raise RuntimeError("rank before fit")
        candidates = self._source.of(histories)
        scores = np.asarray(self._trees.predict(_rows(candidates.features)))
        return ranked(candidates, scores, k)

    def settings(self) -> dict[str, Any]:
        """Its configuration, and how many trees it grew."""
        grown = self._trees.current_iteration() if self._trees else 0
        return {"boosting": asdict(self._config), "features": asdict(self._feature_config), "grown": grown}


def lambdamart(config: BoostingConfig, data: "Sequence[lightgbm.Dataset]", **further: Any) -> "lightgbm.Booster":
    """Trees grown on the first data set until nDCG@10 on the second is no longer better.

    Args: further: parameters by LightGBM's names.
    """
    import lightgbm as lgb

    parameters = config.parameters(
        "lambdarank",
        metric="ndcg",
        eval_at=[10],
        bagging_fraction=config.row_share,
        bagging_freq=1,
        lambdarank_truncation_level=config.truncation,
        **further,
    )
    stop = lgb.early_stopping(config.stop_after, verbose=False)
    return lgb.train(parameters, data[0], config.n_trees, valid_sets=[data[1]], callbacks=[stop])


class XgboostClassifier:
    """XGBoost's binary classifier of (customer, product), on frequencies, recency and popularity alone.

    The LENS paper names an XGBoostClassifier as a peer without its features; this is our reading: what a table of each
    customer's and product's history gives without looking at other customers. Its probabilities are those of the
    logistic loss; a basket holds the products above the threshold that gives the best F1 on the validation customers.
    """

    _COLUMNS = tuple(FEATURES.index(name) for name in OF_PAIR + OF_PRODUCT + OF_CUSTOMER)
    _THRESHOLDS = np.arange(0.02, 0.6, 0.02)

    def __init__(self, config: BoostingConfig | None = None, features: FeatureConfig | None = None) -> None:
        self._config, self._feature_config = config or BoostingConfig(), features or FeatureConfig()
        self._source: CandidateFeatures | None = None
        self._trees: xgboost.XGBClassifier | None = None
        self._threshold = 0.5

    def fit(self, train: BasketSequences, validation: BasketSequences, histories: BasketSequences) -> None:
        """Grow trees on the training customers' candidates, then choose the threshold."""
        import xgboost

        config = self._config
        self._source, trained, validated = shown(train, validation, histories, self._feature_config, config)
        (rows, labels), (others, other_labels) = trained.table, validated.table
        self._trees = xgboost.XGBClassifier(
            objective="binary:logistic",
            eval_metric="logloss",
            tree_method="hist",
            n_estimators=config.n_trees,
            learning_rate=config.learning_rate,
            max_depth=config.max_depth,
            min_child_weight=1.0,
            subsample=config.row_share,
            colsample_bytree=config.feature_share,
            early_stopping_rounds=config.stop_after,
            random_state=config.seed,
        )
        columns = list(self._COLUMNS)
        self._trees.fit(rows[:, columns], labels, eval_set=[(others[:, columns], other_labels)], verbose=False)
        probabilities = self._trees.predict_proba(others[:, columns])[:, 1].reshape(len(validation), -1)
        self._threshold = _best_threshold(probabilities, validated, self._THRESHOLDS)

    def rank(self, histories: BasketSequences, k: int) -> Ranking:
        """The most probable candidates."""
        if self._source is None or self._trees is None:
            raise RuntimeError("rank before fit")
        candidates = self._source.of(histories)
        rows = _rows(candidates.features)[:, list(self._COLUMNS)]
        probabilities = self._trees.predict_proba(rows)[:, 1]
        best = ranked(candidates, probabilities, k)
        sizes = np.maximum((best.scores >= self._threshold).sum(axis=1), 1)
        return Ranking(best.products, best.scores, sizes)

    def settings(self) -> dict[str, Any]:
        """Its configuration, how many trees it grew, and the threshold it chose."""
        grown = self._trees.best_iteration + 1 if self._trees else 0
        return {
            "boosting": asdict(self._config),
            "features": asdict(self._feature_config),
            "grown": grown,
            "threshold": float(self._threshold),
        }


@dataclass(frozen=True)
class Labelled:
    """Candidates of n customers one after another, whether each was bought, and how many a customer has."""

    table: tuple[np.ndarray, np.ndarray]  # float32 [n * C, F], float32 [n * C]
    groups: np.ndarray  # int64 [n], C each
    sizes: np.ndarray  # int64 [n], products in the true basket, candidates or not


def shown(
    train: BasketSequences,
    validation: BasketSequences,
    histories: BasketSequences,
    features: FeatureConfig,
    config: BoostingConfig,
) -> tuple[CandidateFeatures, Labelled, Labelled]:
    """Where features come from when ranking, and the candidates of training and validation customers with labels.

    With one part, features come from everyone's history before the basket to be predicted. Last baskets tell what is
    bought lately, so with more parts they come from whole sequences too: the training customers are parted at random,
    and each part's features come from its histories and the other parts' whole sequences. No feature of a customer
    then comes from a last basket that it is to predict.
    """
    if config.n_parts == 1:
        source = source_of([], [train, validation], histories, features)
        return source, labelled(source, train), labelled(source, validation)
    part = np.random.default_rng(config.seed).integers(0, config.n_parts, len(train))
    trained = []
    for number in range(config.n_parts):
        predicted, others = train.take(np.flatnonzero(part == number)), train.take(np.flatnonzero(part != number))
        source = source_of([others], [predicted, validation], histories, features)
        trained.append(labelled(source, predicted))
    validated = labelled(source_of([train], [validation], histories, features), validation)
    return source_of([train, validation], [], histories, features), joined(trained), validated


def source_of(
    whole: list[BasketSequences], predicted: list[BasketSequences], histories: BasketSequences, config: FeatureConfig
) -> CandidateFeatures:
    """Candidate features from whole sequences, from others before their last basket, and from `histories`."""
    return CandidateFeatures(
        BasketSequences.joined([*whole, *(part.without_last() for part in predicted), histories]), config
    )


def labelled(source: CandidateFeatures, sequences: BasketSequences) -> Labelled:
    """The candidates for everyone's last basket, from the history before it."""
    candidates, truth = source.of(sequences.without_last()), sequences.last()
    bought = truth.matrix()
    labels = np.zeros(candidates.products.shape, np.float32)
    at_once = 1024
    for start in range(0, len(sequences), at_once):
        rows = slice(start, start + at_once)
        labels[rows] = np.take_along_axis(bought[rows].toarray(), candidates.products[rows], axis=1)
    groups = np.full(len(sequences), candidates.products.shape[1])
    return Labelled((_rows(candidates.features), labels.ravel()), groups, truth.basket_sizes)


def joined(parts: list[Labelled]) -> Labelled:
    """The customers of all parts."""
    rows, labels = (np.concatenate([part.table[column] for part in parts]) for column in (0, 1))
    groups, sizes = (np.concatenate(each) for each in zip(*((part.groups, part.sizes) for part in parts), strict=True))
    return Labelled((rows, labels), groups, sizes)


def with_hit(shown: Labelled) -> Labelled:
    """The customers who bought any candidate; no order of the others' candidates is better than another."""
    rows, labels = shown.table
    some = labels.reshape(len(shown.groups), -1).any(axis=1)
    kept = np.repeat(some, shown.groups)
    return Labelled((rows[kept], labels[kept]), shown.groups[some], shown.sizes[some])


def ranked(candidates: Candidates, scores: np.ndarray, k: int) -> Ranking:
    """The k candidates with the largest scores; `scores` [B * C]."""
    table = scores.reshape(candidates.products.shape).astype(np.float32)
    best = np.argsort(-table, axis=1, kind="stable")[:, :k]
    products, kept = np.take_along_axis(candidates.products, best, axis=1), np.take_along_axis(table, best, axis=1)
    missing = [(0, 0), (0, k - products.shape[1])]
    return Ranking(np.pad(products, missing), np.pad(kept, missing))


def _best_threshold(probabilities: np.ndarray, shown: Labelled, thresholds: np.ndarray) -> float:
    """The threshold of the largest mean F1; `probabilities` [n, C]."""
    bought = shown.table[1].reshape(probabilities.shape)
    scores = []
    for threshold in thresholds:
        named = probabilities >= threshold
        scores.append(float(np.mean(2.0 * (named * bought).sum(axis=1) / (named.sum(axis=1) + shown.sizes))))
    return float(thresholds[int(np.argmax(scores))])


def _rows(features: np.ndarray) -> np.ndarray:
    return features.reshape(-1, features.shape[2])
