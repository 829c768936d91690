"""Which products resemble each other, and what all stores say of a product whose own sales are few."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Price ranges within a category: cheap, middle and dear thirds.
PRICE_RANGES = 3


def product_kinds(categories: NDArray[np.str_], prices: Array) -> NDArray[np.int64]:
    """Kind of each product: its category and the third of that category's prices in which its own lies, [N]."""
    _, category = np.unique(categories, return_inverse=True)
    place = np.zeros(len(prices), dtype=np.int64)
    for label in np.unique(category):
        of = category == label
        limits = np.quantile(prices[of], np.arange(1, PRICE_RANGES) / PRICE_RANGES)
        place[of] = np.searchsorted(limits, prices[of], side="left")
    kinds: NDArray[np.int64] = category.ravel() * PRICE_RANGES + place
    return kinds


def shares_in_all_stores(purchases: Array, total: Array) -> Array:
    """A product's share of the purchases of all stores from its first sale through each day, [N, T]; NaN before it.

    Args: purchases: [N, T]; of the product in all stores. total: [T]; of all products in all stores.
    """
    begun = np.cumsum(purchases, axis=1) > 0
    offered = np.cumsum(np.where(begun, total[None, :], 0.0), axis=1)
    values: Array = np.divide(
        np.cumsum(purchases, axis=1), offered, out=np.full(purchases.shape, np.nan), where=offered > 0
    )
    return values
