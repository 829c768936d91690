"""What every next-basket baseline offers, and ranking by scores."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from models.basket_sequences import BasketSequences
from models.special_ids import FIRST_PRODUCT

ROWS_AT_ONCE = 512


@dataclass(frozen=True)
class Ranking:
    """Products by descending score, none twice in a row.

    Shapes: B customers, K ranked products, S products of the longest basket.
    products: int32 [B, K], 0 where nothing is left to name.
    scores:   float32 [B, K], the probability of being in the next basket where the method has one, else its own
              measure of it; 0 where no product is named.
    sizes:    int64 [B], how many of them the method puts into the basket; None where it only ranks.
    are_probabilities: whether the scores are, and can be held to it.
    decoded_basket: int32 [B, S], the products that the method puts into the basket, 0 after its end; None where it only
              ranks.
    units:    float32 [B, S], units of each product of `decoded_basket`; None where it only ranks.
    """

    products: np.ndarray
    scores: np.ndarray
    sizes: np.ndarray | None = None
    are_probabilities: bool = False
    decoded_basket: np.ndarray | None = None
    units: np.ndarray | None = None


class NextBasketModel(Protocol):
    """Learns from whole sequences, then ranks products for histories whose next basket nobody has shown it."""

    def fit(self, train: BasketSequences, validation: BasketSequences, histories: BasketSequences) -> None:
        """Learn.

        Args:
            train: whole sequences; the last basket of each is what a ranker learns to predict.
            validation: whole sequences of other customers: for early stopping and choices, and as neighbours.
            histories: all that is known of the customers to be ranked for; their next baskets are not in it.
        """

    def rank(self, histories: BasketSequences, k: int) -> Ranking:
        """The k products most likely in each customer's next basket."""

    def settings(self) -> dict[str, Any]:
        """What it was built with, to be written beside its scores."""


class FromHistories:
    """A method that is shown no training customer's last basket, as published comparisons show none to neighbours."""

    def __init__(self, model: NextBasketModel) -> None:
        self._model = model

    def fit(self, train: BasketSequences, validation: BasketSequences, histories: BasketSequences) -> None:
        """Learn from what came before everyone's last basket."""
        self._model.fit(train.without_last(), validation.without_last(), histories)

    def rank(self, histories: BasketSequences, k: int) -> Ranking:
        """As the method ranks."""
        return self._model.rank(histories, k)

    def settings(self) -> dict[str, Any]:
        """The method's, and that it learns from histories."""
        return self._model.settings() | {"learns_from": "histories"}


def top_k(scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k best products of each row, ties by index; 0 for products without a positive score.

    Args:    scores: float [B, V].
    Returns: int32 [B, k], float32 [B, k].
    """
    scores = np.asarray(scores, np.float32)
    best = np.argpartition(-scores, k - 1, axis=1)[:, :k] if k < scores.shape[1] else np.argsort(-scores, axis=1)
    # Equal scores are common (counts): with the products in order, a stable sort breaks ties by index.
    best = np.sort(best, axis=1)
    chosen = np.take_along_axis(scores, best, axis=1)
    order = np.argsort(-chosen, axis=1, kind="stable")
    products, chosen = np.take_along_axis(best, order, axis=1), np.take_along_axis(chosen, order, axis=1)
    named = (chosen > 0) & (products >= FIRST_PRODUCT)
    products, chosen = np.where(named, products, 0).astype(np.int32), np.where(named, chosen, 0.0)
    missing = k - products.shape[1]
    if missing > 0:
        return np.pad(products, [(0, 0), (0, missing)]), np.pad(chosen, [(0, 0), (0, missing)])
    return products, chosen


def rank_blocks(scores: Callable[[slice], np.ndarray], n_customers: int, k: int) -> Ranking:
    """The k products of the largest scores for every customer; only some customers' scores exist at a time.

    Args: scores: float [B, V] of a slice of the customers.
    """
    parts = [top_k(scores(slice(start, start + ROWS_AT_ONCE)), k) for start in range(0, n_customers, ROWS_AT_ONCE)]
    products, chosen = (np.concatenate(each) for each in zip(*parts, strict=True))
    return Ranking(products, chosen)


def global_shares(sequences: BasketSequences) -> np.ndarray:
    """Share of all baskets that hold each product; float64 [V], 0 for special indices."""
    counts = np.bincount(sequences.product_ids, minlength=sequences.n_products).astype(np.float64)
    counts[:FIRST_PRODUCT] = 0.0
    return counts / max(len(sequences.product_offsets) - 1, 1)


def fill_up(products: np.ndarray, shares: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Put the products in most baskets that a row does not name yet into its empty positions.

    Args:    products: int32 [B, K], named ones first, then 0; shares: [V], share of baskets with each product.
    Returns: products as filled up, and row and column of every position that was filled.
    """
    products, (n_rows, k) = products.copy(), products.shape
    n_common = min(2 * k, np.count_nonzero(shares))
    common = np.argsort(-shares, kind="stable")[:n_common].astype(np.int32)
    first_row = len(shares) * np.arange(n_rows)[:, None]
    # Empty positions stand as product 0, which is never common.
    free = ~np.isin(first_row + common, first_row + products)
    position = np.cumsum(free, axis=1) - 1 + (products > 0).sum(axis=1, keepdims=True)
    row, column = np.nonzero(free & (position < k))
    products[row, position[row, column]] = common[column]
    return products, row, position[row, column]
