"""What a user would pick instead of a model: the most frequent products, of everyone or of the customer."""

from typing import Any

import numpy as np

from models.baselines.next_basket import Ranking, fill_up, global_shares
from models.basket_sequences import BasketSequences
from models.ragged import positions_within
from models.special_ids import END, FIRST_PRODUCT

_PRIOR_BASKETS = 3.0


class _Frequency:
    """Shares of all baskets, counted by `fit` or given.

    Args: counts: [V], baskets with each product; at END, all baskets. None where `fit` will count.
    """

    def __init__(self, counts: np.ndarray | None = None) -> None:
        self._shares = np.zeros(FIRST_PRODUCT)
        if counts is not None:
            self._shares = np.asarray(counts, np.float64) / max(float(counts[END]), 1.0)
            self._shares[:FIRST_PRODUCT] = 0.0

    def fit(self, train: BasketSequences, validation: BasketSequences, histories: BasketSequences) -> None:
        """Count the baskets of everyone."""
        self._shares = global_shares(BasketSequences.joined([train, validation, histories]))

    def settings(self) -> dict[str, Any]:
        """Nothing to set."""
        return {}


class GlobalTop(_Frequency):
    """The products in most baskets, the same for everyone."""

    def rank(self, histories: BasketSequences, k: int) -> Ranking:
        """The same k products for every customer."""
        best = np.argsort(-self._shares, kind="stable")[:k].astype(np.int32)
        shares = np.minimum(self._shares[best], 1.0).astype(np.float32)
        return Ranking(np.tile(best, (len(histories), 1)), np.tile(shares, (len(histories), 1)))


class PersonalTop(_Frequency):
    """The products in most of the customer's own baskets, among equals the latest, then the most common; 0."""

    def rank(self, histories: BasketSequences, k: int) -> Ranking:
        """Up to k own products for every customer."""
        return _personal(histories, k, self._shares, fill=False)


class PersonalThenGlobal(_Frequency):
    """The customer's own products first, then the products in most baskets.

    Probabilities shrink the customer's share of baskets towards everyone's, by three baskets' worth.
    """

    def rank(self, histories: BasketSequences, k: int) -> Ranking:
        """k products for every customer."""
        return _personal(histories, k, self._shares, fill=True)


def _personal(histories: BasketSequences, k: int, shares: np.ndarray, *, fill: bool) -> Ranking:
    """Own products by (baskets with it, latest basket, everyone's baskets with it), then the most common others."""
    shares = np.pad(shares, (0, max(histories.n_products - len(shares), 0)))
    own = histories.matrix()
    lengths = np.diff(own.indptr)
    customers = np.repeat(np.arange(len(histories)), lengths)
    order = np.lexsort((-shares[own.indices], histories.latest(own), -own.data, customers))
    position = positions_within(lengths)
    best, position = order[position < k], position[position < k]
    rows, products = customers[best], own.indices[best]
    ranked, expected = np.zeros((len(histories), k), np.int32), np.zeros((len(histories), k))
    ranked[rows, position] = products
    expected[rows, position] = own.data[best]
    baskets = histories.n_baskets[:, None]
    if not fill:
        return Ranking(ranked, (expected / np.maximum(baskets, 1)).astype(np.float32))
    expected[rows, position] += _PRIOR_BASKETS * shares[products]
    ranked, rows, position = fill_up(ranked, shares)
    expected[rows, position] = _PRIOR_BASKETS * shares[ranked[rows, position]]
    return Ranking(ranked, (expected / (baskets + _PRIOR_BASKETS)).astype(np.float32))
