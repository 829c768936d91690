"""TIFU-KNN: the customer's own temporal item frequencies, mixed with those of the nearest customers.

Source: Hu, He, Gao, Zhang, "Modeling Personalized Item Frequency Information for Next-basket Recommendation", SIGIR
2020.
"""

from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

import numpy as np
from scipy import sparse

from models.baselines.next_basket import Ranking, rank_blocks
from models.basket_sequences import BasketSequences
from models.candidates.affinities import nearest
from models.candidates.temporal_frequency import TemporalFrequency, temporal_frequencies


@dataclass(frozen=True)
class TifuKnnConfig:
    """`alpha` is the weight of the customer's own frequencies."""

    frequency: TemporalFrequency
    n_neighbours: int = 300
    alpha: float = 0.1


PUBLISHED = TifuKnnConfig(TemporalFrequency(within_decay=0.9, group_decay=0.7, n_groups=7), alpha=0.7)
TUNED = TifuKnnConfig(TemporalFrequency(within_decay=0.9, group_decay=0.9, n_groups=11), alpha=0.1)

SEARCHED: tuple[TifuKnnConfig, ...] = tuple(
    TifuKnnConfig(TemporalFrequency(0.9, group_decay, n_groups), n_neighbours, alpha)
    for (group_decay, n_groups), n_neighbours, alpha in product(
        ((0.7, 7), (0.9, 11), (0.9, 3)), (100, 300), (0.1, 0.3, 0.5, 0.7)
    )
)
"""The budget of `SearchedTifuKnn`: 24 settings around the published and the tuned one."""
_CHOSEN_BY = 10  # products of the recall that chooses


class TifuKnn:
    """Neighbours are sought among the training and validation customers, by the sequences that `fit` is shown."""

    def __init__(self, config: TifuKnnConfig = TUNED) -> None:
        self._config = config
        self._memory = sparse.csr_array((0, 0), dtype=np.float32)

    def fit(self, train: BasketSequences, validation: BasketSequences, histories: BasketSequences) -> None:
        """Keep the training and validation customers' frequencies."""
        known = BasketSequences.joined([train, validation])
        self._memory = temporal_frequencies(known, self._config.frequency)

    def rank(self, histories: BasketSequences, k: int) -> Ranking:
        """The products of the largest mixed frequencies."""
        own, alpha = temporal_frequencies(histories, self._config.frequency), self._config.alpha

        def scores(rows: slice) -> np.ndarray:
            others = nearest(own[rows], self._memory, self._config.n_neighbours) @ self._memory
            mixed: np.ndarray = (alpha * own[rows] + (1.0 - alpha) * others).toarray()
            return mixed

        return rank_blocks(scores, len(histories), k)

    def settings(self) -> dict[str, Any]:
        """Its configuration."""
        return asdict(self._config)


class SearchedTifuKnn:
    """TIFU-KNN with the setting of SEARCHED whose recall of the validation customers' last baskets is largest.

    As in published comparisons, neighbours are known by what came before their last basket.
    """

    def __init__(self, searched: tuple[TifuKnnConfig, ...] = SEARCHED) -> None:
        self._searched, self._recalls = searched, [0.0] * len(searched)
        self._chosen = TifuKnn(searched[0])

    def fit(self, train: BasketSequences, validation: BasketSequences, histories: BasketSequences) -> None:
        """Choose on validation, with neighbours among the training customers; then keep both."""
        known, histories_of_validation, truth = train.without_last(), validation.without_last(), validation.last()
        nobody = BasketSequences.of_nobody(train.n_products)
        for number, config in enumerate(self._searched):
            tried = TifuKnn(config)
            tried.fit(known, nobody, histories_of_validation)
            self._recalls[number] = _recall(tried.rank(histories_of_validation, _CHOSEN_BY), truth)
        self._chosen = TifuKnn(self._searched[int(np.argmax(self._recalls))])
        self._chosen.fit(known, histories_of_validation, histories)

    def rank(self, histories: BasketSequences, k: int) -> Ranking:
        """As the chosen setting ranks."""
        return self._chosen.rank(histories, k)

    def settings(self) -> dict[str, Any]:
        """How many settings are tried, the chosen one, and its recall on validation."""
        return {"searched": len(self._searched), "chosen": self._chosen.settings(), "validation": max(self._recalls)}


def _recall(ranking: Ranking, truth: BasketSequences) -> float:
    """Mean share of the last basket that is ranked."""
    rows = np.arange(len(truth), dtype=np.int64) * truth.n_products
    bought = np.repeat(rows, truth.basket_sizes) + truth.product_ids
    found = np.isin(rows[:, None] + ranking.products, bought) & (ranking.products > 0)
    return float((found.sum(axis=1) / np.maximum(truth.basket_sizes, 1)).mean())
