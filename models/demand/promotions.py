"""What a promotion does to a product's sales, learned from its earlier promotions.

Days on promotion are brought to what they would have been without one before anything else is learned from them, and
what is expected of promoted days to come is raised by the same factor. The factor of a product is that of its own
promoted days, drawn towards that of its kind, and that towards all products': a retailer promotes a product a few times
a year, but something every day. Where nothing was ever promoted, a promotion to come changes nothing.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Purchases that what resembles a product counts as, beside its own on promoted days.
PRIOR_PURCHASES = 20.0
SMALLEST, LARGEST = 1.0, 8.0
# Days without promotion that say what a product usually sells.
MIN_USUAL_DAYS = 7


def uplift(purchases: Array, known: NDArray[np.bool_], promoted: NDArray[np.bool_], kinds: NDArray[np.int64]) -> Array:
    """Purchases on a promoted day over those on a usual one, by product, [N].

    Shapes: N products, T days.
    Args:
        purchases: [N, T].
        known: [N, T]; days on which the product was offered and the store traded.
        promoted: [N, T]; days on which it was on promotion.
        kinds: [N]; products of one kind resemble each other.
    """
    usual_days = (known & ~promoted).sum(axis=1)
    on_usual, on_promoted = purchases * (known & ~promoted), purchases * (known & promoted)
    # A day on which the whole store sells twice as much is no promotion of one product.
    busy = _store_rhythm(on_usual, known & ~promoted)
    exposure = (busy * (known & ~promoted)).sum(axis=1)
    rate = np.divide(on_usual.sum(axis=1), exposure, out=np.zeros(len(purchases)), where=exposure > 0)
    rate = np.where(usual_days >= MIN_USUAL_DAYS, rate, 0.0)
    expected = rate * (busy * (known & promoted)).sum(axis=1)
    sold = np.where(expected > 0, on_promoted.sum(axis=1), 0.0)
    if expected.sum() <= 0:
        return np.ones(len(purchases))
    of_all = float((sold.sum() + PRIOR_PURCHASES) / (expected.sum() + PRIOR_PURCHASES))
    count = int(kinds.max(initial=0)) + 1
    sold_of_kind, expected_of_kind = (np.bincount(kinds, of, count).astype(np.float64) for of in (sold, expected))
    of_kind = _drawn(sold_of_kind, expected_of_kind, of_all)
    values: Array = np.clip(_drawn(sold, expected, of_kind[kinds]), SMALLEST, LARGEST)
    return values


def _store_rhythm(on_usual: Array, usual: NDArray[np.bool_]) -> Array:
    """Each day's purchases per product that was not on promotion, relative to an average day, [T]."""
    offered = usual.sum(axis=0)
    daily = np.divide(on_usual.sum(axis=0), offered, out=np.zeros(len(offered)), where=offered > 0)
    mean = daily[offered > 0].mean() if (offered > 0).any() else 0.0
    return np.where((offered > 0) & (mean > 0), daily / max(mean, 1e-9), 1.0)


def _drawn(sold: Array, expected: Array, prior: Array | float) -> Array:
    values: Array = (sold + PRIOR_PURCHASES * prior) / (expected + PRIOR_PURCHASES)
    return values
