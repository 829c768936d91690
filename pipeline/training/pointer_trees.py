"""The trees that the pointer head reads: LambdaMART on candidates of training examples, and again without each fold."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import lightgbm as lgb
import numpy as np

from models.boosting import Trees
from models.complete_trees import CompleteTrees
from models.folds import N_FOLDS
from models.ragged import joined_rows

_TREES = Trees(learning_rate=0.07, feature_share=0.7)


class PointerExamples(NamedTuple):
    """Training examples whose next basket came.

    features: float16 [n, C, F]; is_candidate, is_bought: bool [n, C]; folds: int32 [n], of their customers.
    """

    features: np.ndarray
    is_candidate: np.ndarray
    is_bought: np.ndarray
    folds: np.ndarray

    @classmethod
    def joined(cls, parts: "Sequence[PointerExamples]") -> "PointerExamples":
        """Those of all parts, at least one."""
        features, is_candidate, is_bought = (joined_rows([part[column] for part in parts]) for column in range(3))
        return cls(features, is_candidate, is_bought, np.concatenate([part.folds for part in parts]))


def grown_forests(examples: PointerExamples, n_trees: int, levels: int, seed: int) -> list[CompleteTrees]:
    """The forest of all examples, then those without each fold of the customers: 1 + N_FOLDS.

    A forest is constant where no example that it may read has a candidate that was bought. The same bits on any number
    of cores: each forest grows in one thread.

    Source: LambdaMART as in Burges, "From RankNet to LambdaRank to LambdaMART", Microsoft Research, 2010.
    """
    # No order of candidates is better than another where none was bought.
    rows = np.flatnonzero((examples.is_candidate & examples.is_bought).any(axis=1))
    shown, bought, folds = examples.is_candidate[rows], examples.is_bought[rows], examples.folds[rows]
    parameters = _TREES.parameters(
        "lambdarank",
        max_depth=levels,
        bagging_fraction=0.8,
        bagging_freq=1,
        lambdarank_truncation_level=20,
        num_threads=1,
        seed=seed,
    )
    if len(rows) == 0:
        return [CompleteTrees.constant(n_trees, levels)] * (1 + N_FOLDS)
    everything = lgb.Dataset(
        examples.features[rows][shown].astype(np.float32),
        bought[shown].astype(np.float32),
        group=shown.sum(axis=1),
        params=parameters,
    ).construct()
    fold_of_line = np.repeat(folds, shown.sum(axis=1))
    kept = [np.flatnonzero(fold_of_line != fold) for fold in range(1, 1 + N_FOLDS)]
    data = [everything, *(everything.subset(lines.tolist()).construct() if len(lines) else None for lines in kept)]

    def grow(data: lgb.Dataset | None) -> CompleteTrees:
        if data is None:
            return CompleteTrees.constant(n_trees, levels)
        return CompleteTrees.of(lgb.train(parameters, data, n_trees), n_trees, levels)

    with ThreadPoolExecutor() as threads:
        return list(threads.map(grow, data))
