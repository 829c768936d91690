"""LightGBM's LambdaMART on exactly what `lens` reads of each candidate, with settings chosen on validation.

It is the peer that says what the network adds: the same candidates, the same features from the same parts, the same
last baskets. Of `SETTINGS` the one with the largest nDCG@10 on the validation customers ranks; all of them stop early
by that figure.
"""

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from models.baselines.gradient_boosting import BoostingConfig, Labelled, lambdamart, ranked, with_hit
from models.baselines.next_basket import Ranking
from models.basket_sequences import BasketSequences
from models.candidates.features import Candidates, FeatureConfig
from models.fields import CANDIDATE_FEATURES
from pipeline.benchmarks.next_basket.last_baskets import (
    AT_ONCE,
    LastBasketExamples,
    histories_of,
    source_of,
    with_candidates,
)
from pipeline.dataset.candidates import CandidateSource

if TYPE_CHECKING:
    import lightgbm

_BASE = BoostingConfig(n_trees=1000, stop_after=50, n_parts=8)
SETTINGS: tuple[BoostingConfig, ...] = (
    replace(_BASE, learning_rate=0.05),
    replace(_BASE, learning_rate=0.05, min_rows_in_leaf=400),
    replace(_BASE, learning_rate=0.05, n_leaves=63, min_rows_in_leaf=400),
    replace(_BASE, learning_rate=0.05, n_leaves=15),
    replace(_BASE, learning_rate=0.05, truncation=40),
    replace(_BASE, learning_rate=0.02),
)
"""The budget: six settings, the first of which was the first one ever tried."""


@dataclass(frozen=True)
class GrownTrees:
    """What was grown by the setting that ranks validation best, and the nDCG@10 of each there."""

    chosen: BoostingConfig
    trees: "lightgbm.Booster"
    validation: list[float]

    def rank(self, products: np.ndarray, features: np.ndarray, k: int) -> Ranking:
        """The k candidates with the largest scores, padding never; int32 [B, C], float32 [B, C, F]."""
        scores = np.asarray(self.trees.predict(features.reshape(-1, features.shape[2])))
        found = ranked(Candidates(products, features), np.where(products.ravel() > 0, scores, -np.inf), k)
        return Ranking(found.products, np.where(found.products > 0, found.scores, np.float32(0)))

    def settings(self) -> dict[str, Any]:
        """What was chosen, its trees, and how each ranked."""
        return {
            "chosen": asdict(self.chosen),
            "grown": self.trees.current_iteration(),
            "validation_ndcg@10": self.validation,
        }


def grow(tried: tuple[BoostingConfig, ...], trained: Labelled, validated: Labelled) -> GrownTrees:
    """Grow trees by every setting, and keep those that rank the validation baskets best."""
    import lightgbm as lgb

    # The data sets are shared by settings with other smallest leaves.
    data = [
        lgb.Dataset(*each.table, group=each.groups, feature_name=list(CANDIDATE_FEATURES), free_raw_data=False)
        for each in (trained, validated)
    ]
    grown = [lambdamart(config, data, feature_pre_filter=False) for config in tried]
    validation = [float(trees.best_score["valid_0"]["ndcg@10"]) for trees in grown]
    best = int(np.argmax(validation))
    return GrownTrees(tried[best], grown[best], validation)


def joined(parts: list[Ranking]) -> Ranking:
    """The customers of all parts, ranked alone."""
    products, scores = (np.concatenate([getattr(part, name) for part in parts]) for name in ("products", "scores"))
    return Ranking(products, scores)


class SameFeaturesRanker:
    """LambdaMART with the features of `lens`; `settings` are tried one after another."""

    def __init__(self, seed: int, settings: tuple[BoostingConfig, ...] = SETTINGS) -> None:
        self._tried = tuple(replace(each, seed=seed) for each in settings)
        self._features = FeatureConfig()
        self._grown: GrownTrees | None = None
        self._source = CandidateSource()

    def fit(self, train: BasketSequences, validation: BasketSequences, histories: BasketSequences) -> None:
        """Grow trees by every setting, and keep those that rank the validation customers' last baskets best."""
        first = self._tried[0]
        parts = with_candidates(train, validation, histories, self._features, n_parts=first.n_parts, seed=first.seed)
        trained, validated = (labelled(part) for part in parts)
        self._grown = grow(self._tried, with_hit(trained), validated)
        self._source = source_of(BasketSequences.joined([train, validation, histories]), self._features)

    def rank(self, histories: BasketSequences, k: int) -> Ranking:
        """The candidates with the largest scores."""
        if self._grown is None:
            raise RuntimeError("rank before fit")
        rows, ends = histories_of(histories), histories.basket_offsets[1:]
        parts = []
        for first in range(0, len(histories), AT_ONCE):
            funnels = np.arange(first, min(first + AT_ONCE, len(histories)))
            parts.append(self._grown.rank(*self._source.find(rows, funnels, ends[funnels]), k))
        return joined(parts)

    def settings(self) -> dict[str, Any]:
        """What is tried, what was chosen, its trees and the validation nDCG@10 of each."""
        tried = {
            "tried": [asdict(each) for each in self._tried],
            "features": asdict(self._features),
            "columns": "those of lens",
        }
        return tried | (self._grown.settings() if self._grown else {})


def labelled(examples: LastBasketExamples) -> Labelled:
    """The candidates of every customer, and whether each is in the last basket; padded candidates are not."""
    truth = examples.sequences.last()
    n, n_candidates = examples.candidates.shape
    keys = np.arange(n, dtype=np.int64) * truth.n_products
    bought = np.repeat(keys, truth.basket_sizes) + truth.product_ids
    labels = np.isin(keys[:, None] + examples.candidates, bought) & (examples.candidates > 0)
    rows = examples.candidate_features.reshape(n * n_candidates, -1).astype(np.float32)
    return Labelled((rows, labels.ravel().astype(np.float32)), np.full(n, n_candidates), truth.basket_sizes)
