"""TIFU-KNN: the customer's own temporal item frequencies, mixed with those of the nearest customers.

Source: Hu, He, Gao, Zhang, "Modeling Personalized Item Frequency Information for Next-basket Recommendation", SIGIR
2020.
"""

from dataclasses import asdict, dataclass
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
