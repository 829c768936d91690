"""UP-CF@r: the recent popularity of products with the customer and, by similarity, with everyone else.

Source: Faggioli, Polato, Aiolli, "Recency Aware Collaborative Filtering for Next Basket Recommendation", UMAP 2020.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import sparse

from models.baselines.next_basket import Ranking, rank_blocks
from models.basket_sequences import BasketSequences
from models.candidates.affinities import asymmetric_cosine, purchases, recent_popularity


@dataclass(frozen=True)
class UpCfConfig:
    """Latest baskets that count; exponent of the customer's own norm; power of the similarity."""

    recency: int = 10
    asymmetry: float = 0.75
    locality: float = 10.0


class UpCf:
    """User-wise popularity over the latest baskets, weighted by asymmetric cosine similarity; the customer counts."""

    def __init__(self, config: UpCfConfig | None = None) -> None:
        self._config = config or UpCfConfig()
        self._bought = self._popularity = sparse.csr_array((0, 0), dtype=np.float32)

    def fit(self, train: BasketSequences, validation: BasketSequences, histories: BasketSequences) -> None:
        """Keep what the training and validation customers have bought."""
        known = BasketSequences.joined([train, validation])
        self._bought, self._popularity = purchases(known), recent_popularity(known, self._config.recency)

    def rank(self, histories: BasketSequences, k: int) -> Ranking:
        """The products of the largest popularity with similar customers."""
        bought, popularity = purchases(histories), recent_popularity(histories, self._config.recency)

        def scores(rows: slice) -> np.ndarray:
            weights = asymmetric_cosine(bought[rows], self._bought, self._config.asymmetry) ** self._config.locality
            # With itself a customer's similarity is 1.
            summed: np.ndarray = weights @ self._popularity + popularity[rows].toarray()
            return summed

        return rank_blocks(scores, len(histories), k)

    def settings(self) -> dict[str, Any]:
        """Its configuration."""
        return asdict(self._config)
