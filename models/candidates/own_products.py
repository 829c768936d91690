"""What a customer bought before, product by product: how often, how recently, how regularly, and how much at a time.

The features describe the whole past that `sequences` keeps, not only the latest baskets that the encoders read.
"""

from typing import Protocol

import numpy as np

from models.candidate_columns import OWN_FEATURES
from models.ragged import positions_within, ranges
from models.special_ids import FIRST_PRODUCT

_DECAY = 0.9  # weight of a basket against the one after it
_MOST_PRODUCTS = 128
_LONGEST_RATIO = 4.0


class DatedBaskets(Protocol):
    """n funnels with m baskets and l lines in all, as flat arrays.

    Baskets of funnel i are `basket_offsets[i]` to `basket_offsets[i + 1]`, oldest first; lines of basket j likewise.
    """

    @property
    def basket_offsets(self) -> np.ndarray:
        """int64 [n + 1]."""

    @property
    def product_offsets(self) -> np.ndarray:
        """int64 [m + 1]."""

    @property
    def product_ids(self) -> np.ndarray:
        """int32 [l]."""

    @property
    def quantities(self) -> np.ndarray:
        """float32 [l], units."""

    @property
    def sold_on(self) -> np.ndarray:
        """int32 [m], days since 1970-01-01."""


def own_products(baskets: DatedBaskets, funnels: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Products of each funnel's past, up to and without the basket at `ends`, and their features.

    Shapes:  B examples, H products of the longest past.
    Args:    funnels: int64 [B], rows of `baskets`; ends: int64 [B], positions among all baskets.
    Returns: int32 [B, H], products of the past, each once, those bought most of late first, 0 padded; float32
             [B, H, columns OWN_FEATURES], 0 where padded.
    """
    starts = baskets.basket_offsets[funnels]
    n_baskets = ends - starts
    rows, of_basket = ranges(starts, n_baskets), np.repeat(np.arange(len(ends)), n_baskets)
    lengths = np.diff(baskets.product_offsets)[rows]
    lines = ranges(baskets.product_offsets[rows], lengths)
    basket, example = np.repeat(rows, lengths), np.repeat(of_basket, lengths)
    known = baskets.product_ids[lines] >= FIRST_PRODUCT
    lines, basket, example = lines[known], basket[known], example[known]
    age = ends[example] - 1 - basket
    # Purchases of one product by one customer stand together, the latest first.
    order = np.lexsort((age, baskets.product_ids[lines], example))
    lines, basket, example, age = lines[order], basket[order], example[order], age[order]
    if len(lines) == 0:
        return np.zeros((len(ends), 1), np.int32), np.zeros((len(ends), 1, len(OWN_FEATURES)), np.float32)
    product = baskets.product_ids[lines]
    first = np.flatnonzero(np.r_[True, (product[1:] != product[:-1]) | (example[1:] != example[:-1])])
    last = np.r_[first[1:], len(lines)] - 1
    of = example[first]
    recent = np.add.reduceat(_DECAY**age, first) / ((1.0 - _DECAY ** n_baskets[of]) / (1.0 - _DECAY))
    days = baskets.sold_on[basket]
    features = _features(
        counts=last - first + 1.0,
        ages=age[first].astype(np.float64),
        days_since=(baskets.sold_on[ends - 1][of] - days[first]).astype(np.float64),
        days_between=(days[first] - days[last]).astype(np.float64),
        units=np.add.reduceat(baskets.quantities[lines].astype(np.float64), first) / (last - first + 1.0),
        recent=recent,
        n_baskets=n_baskets[of].astype(np.float64),
        n_products=np.bincount(of, minlength=len(ends))[of].astype(np.float64),
    )
    rank = np.lexsort((product[first], -recent, of))
    per_example = np.bincount(of, minlength=len(ends))
    position = positions_within(per_example)
    kept = position < _MOST_PRODUCTS
    chosen, row, column = rank[kept], of[rank[kept]], position[kept]
    products = np.zeros((len(ends), min(int(per_example.max()), _MOST_PRODUCTS)), np.int32)
    filled = np.zeros((*products.shape, len(OWN_FEATURES)), np.float32)
    products[row, column], filled[row, column] = product[first[chosen]], features[chosen]
    return products, filled


def _features(
    *,
    counts: np.ndarray,
    ages: np.ndarray,
    days_since: np.ndarray,
    days_between: np.ndarray,
    units: np.ndarray,
    recent: np.ndarray,
    n_baskets: np.ndarray,
    n_products: np.ndarray,
) -> np.ndarray:
    """Columns OWN_FEATURES of each product, of about equal size; days count up to the customer's last basket."""
    again = counts >= 2
    usual_days = np.maximum(days_between / np.maximum(counts - 1.0, 1.0), 1.0)
    columns = (
        np.log1p(counts),
        counts / n_baskets,
        recent,
        1.0 / (1.0 + ages),
        np.log1p(ages),
        np.log1p(days_since),
        np.where(again, np.minimum(days_since / usual_days, _LONGEST_RATIO), 0.0),
        np.minimum((ages + 1.0) * counts / n_baskets, _LONGEST_RATIO),
        again,
        np.log1p(np.maximum(units, 0.0)),
        np.log(n_baskets),
        np.log1p(n_products),
    )
    return np.stack(columns, axis=1).astype(np.float32)
