"""What a user would pick instead of a model: the most frequent products, of everyone or of the customer.

Each answers `rank(batch, k) -> (product_ids int32 [B, k], probabilities float32 [B, k])` as a model does.
"""

import numpy as np

from models.special_ids import END, FIRST_PRODUCT

Ranking = tuple[np.ndarray, np.ndarray]
_PRIOR_BASKETS = 3.0


class GlobalTop:
    """The products in most baskets, the same for everyone.

    Args: counts: [V], baskets with each product; at END, all baskets.
    """

    def __init__(self, counts: np.ndarray) -> None:
        self._shares = np.asarray(counts, np.float64) / max(float(counts[END]), 1.0)
        self._shares[:FIRST_PRODUCT] = 0.0
        self._order = np.argsort(-self._shares, kind="stable")

    def rank(self, batch: dict[str, np.ndarray], k: int) -> Ranking:
        """The same k products for every row."""
        best = self._order[:k].astype(np.int32)
        n_rows = len(batch["basket_rows"])
        return np.tile(best, (n_rows, 1)), np.tile(np.minimum(self._shares[best], 1.0).astype(np.float32), (n_rows, 1))


class PersonalTop:
    """The products in most of the customer's own baskets, the latest first among equals; 0 where none is left."""

    def rank(self, batch: dict[str, np.ndarray], k: int) -> Ranking:
        """Up to k own products for every row."""
        return _personal(batch, k, np.zeros(0), k)


class PersonalThenGlobal:
    """The customer's own products first, then the products in most baskets.

    Probabilities shrink the customer's share of baskets towards everyone's, by three baskets' worth.
    """

    def __init__(self, counts: np.ndarray) -> None:
        self._shares = np.asarray(counts, np.float64) / max(float(counts[END]), 1.0)
        self._shares[:FIRST_PRODUCT] = 0.0

    def rank(self, batch: dict[str, np.ndarray], k: int) -> Ranking:
        """k products for every row."""
        return _personal(batch, k, self._shares, k)


def _personal(batch: dict[str, np.ndarray], k: int, shares: np.ndarray, n_common: int) -> Ranking:
    """Own products by (baskets with it, latest basket), then the most common others."""
    rows, product_ids = batch["basket_rows"], batch["product_ids"]
    common = np.argsort(-shares, kind="stable")[: n_common + k]
    ranked = np.zeros((len(rows), k), np.int32)
    probabilities = np.zeros((len(rows), k), np.float32)
    for row, baskets in enumerate(rows):
        past = product_ids[baskets[baskets > 0] - 1]
        age = np.repeat(np.arange(len(past), 0, -1), past.shape[1])
        own, where, counts = np.unique(past.ravel()[::-1], return_index=True, return_counts=True)
        known = own >= FIRST_PRODUCT
        own, where, counts = own[known], where[known], counts[known]
        order = np.lexsort((own, age[::-1][where], -counts))[:k]
        best = own[order]
        others = common[~np.isin(common, best)][: k - len(best)] if len(common) else common
        prior = _PRIOR_BASKETS if len(shares) else 0.0
        expected = shares[best] * prior if len(shares) else 0.0
        ranked[row, : len(best)] = best
        probabilities[row, : len(best)] = (np.minimum(counts[order], len(past)) + expected) / (len(past) + prior)
        ranked[row, len(best) : len(best) + len(others)] = others
        if len(others):
            rare = shares[others] * prior / (len(past) + prior)
            probabilities[row, len(best) : len(best) + len(others)] = rare
    return ranked, probabilities
