"""What a customer bought before, product by product: how often, how lately, how regularly, and how much at a time.

    own_products  int32   [B, H]      products of the past, each once, those bought most of late first; 0 padded
    own_features  float32 [B, H, 12]  see `_features`; 0 where padded

They describe the whole past that `sequences` keeps, not only the latest baskets that the encoders read.
"""

import numpy as np

from models.ragged import places, ranges
from pipeline.dataset.histories import Histories
from pipeline.tables.vocabulary import FIRST_PRODUCT_INDEX

N_OWN_FEATURES = 12

_DECAY = 0.9  # weight of a basket against the one after it
_MOST_PRODUCTS = 128
_LONGEST_RATIO = 4.0


def own_products(histories: Histories, funnels: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Products of each funnel's past, up to and without the basket at `ends`, and their features.

    Args: funnels: int64 [B], rows of `histories`; ends: int64 [B], positions among all baskets.
    """
    starts = histories.basket_offsets[funnels]
    n_baskets = ends - starts
    baskets, of_basket = ranges(starts, n_baskets), np.repeat(np.arange(len(ends)), n_baskets)
    lengths = np.diff(histories.product_offsets)[baskets]
    lines = ranges(histories.product_offsets[baskets], lengths)
    basket, example = np.repeat(baskets, lengths), np.repeat(of_basket, lengths)
    known = histories.product_ids[lines] >= FIRST_PRODUCT_INDEX
    lines, basket, example = lines[known], basket[known], example[known]
    age = ends[example] - 1 - basket
    # Purchases of one product by one customer stand together, the latest first.
    order = np.lexsort((age, histories.product_ids[lines], example))
    lines, basket, example, age = lines[order], basket[order], example[order], age[order]
    if len(lines) == 0:
        return np.zeros((len(ends), 1), np.int32), np.zeros((len(ends), 1, N_OWN_FEATURES), np.float32)
    product = histories.product_ids[lines]
    first = np.flatnonzero(np.r_[True, (product[1:] != product[:-1]) | (example[1:] != example[:-1])])
    last = np.r_[first[1:], len(lines)] - 1
    of = example[first]
    recent = np.add.reduceat(_DECAY**age, first) / ((1.0 - _DECAY ** n_baskets[of]) / (1.0 - _DECAY))
    days = histories.sold_on[basket]
    features = _features(
        counts=last - first + 1.0,
        ages=age[first].astype(np.float64),
        days_since=(histories.sold_on[ends - 1][of] - days[first]).astype(np.float64),
        days_between=(days[first] - days[last]).astype(np.float64),
        units=np.add.reduceat(histories.quantities[lines].astype(np.float64), first) / (last - first + 1.0),
        recent=recent,
        n_baskets=n_baskets[of].astype(np.float64),
        n_products=np.bincount(of, minlength=len(ends))[of].astype(np.float64),
    )
    rank = np.lexsort((product[first], -recent, of))
    per_example = np.bincount(of, minlength=len(ends))
    place = places(per_example)
    kept = place < _MOST_PRODUCTS
    chosen, row, column = rank[kept], of[rank[kept]], place[kept]
    products = np.zeros((len(ends), min(int(per_example.max()), _MOST_PRODUCTS)), np.int32)
    filled = np.zeros((*products.shape, N_OWN_FEATURES), np.float32)
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
    """Twelve numbers of about equal size for each product; days count up to the customer's last basket.

    log(1 + baskets with it), their share of all, the share with recent baskets weighing more, 1 / (1 + age), log(1 +
    age) in baskets, log(1 + days since), days since and baskets since over the usual distance, whether there is a usual
    distance at all, log(1 + units at a time), log(baskets), log(1 + different products).
    """
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
