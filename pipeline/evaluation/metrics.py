"""Ranking metrics of next-basket recommendation, per customer and then averaged, every customer counting once.

A ranking holds vocabulary indices, most probable first, none twice; the truth is the set of products in the next
basket. Products that share the unknown index cannot be recommended, yet they were bought: they count in the size of
the basket and are never hit, so that a small vocabulary does not flatter a model.
"""

import numpy as np

from pipeline.tables.vocabulary import FIRST_PRODUCT_INDEX

CUTOFFS = (1, 5, 10, 20)
METRICS = ("recall", "precision", "f1", "hit_ratio", "ndcg")
ROWS_AT_ONCE = 4096


def ranking_metrics(
    ranked: np.ndarray, truth: np.ndarray, basket_sizes: np.ndarray, cutoffs: tuple[int, ...] = CUTOFFS
) -> dict[str, float]:
    """Mean recall, precision, F1, hit ratio and nDCG at each cutoff.

    Shapes: B customers, R ranked products, P products in the largest next basket.
    Args:    ranked: int [B, R], 0 where a ranking ends early;
             truth: int [B, P], known products of the next basket in any order; other indices are ignored;
             basket_sizes: [B], different products in the next basket, unknown ones included, at least 1.
    Returns: `recall@10`, `precision@10`, `f1@10`, `hit_ratio@10`, `ndcg@10`, ... each in [0, 1].
    Raises:  ValueError: if there is no customer to evaluate, a basket is empty, or R is below the largest cutoff.
    """
    if ranked.shape[1] < max(cutoffs):
        raise ValueError(f"{ranked.shape[1]} products are ranked, the largest cutoff is {max(cutoffs)}")
    if len(ranked) == 0 or (basket_sizes < 1).any():
        raise ValueError("nothing to evaluate: no customer, or a next basket without products")
    hits = _hits(ranked, truth)
    means: dict[str, float] = {}
    for cutoff in cutoffs:
        per_customer = _at(hits[:, :cutoff], basket_sizes, cutoff)
        means |= {f"{name}@{cutoff}": float(per_customer[name].mean()) for name in METRICS}
    return means


def gap_error_days(predicted: np.ndarray, actual: np.ndarray) -> float:
    """Mean absolute error of the predicted days until the next basket.

    Only customers who did come back within the window have an actual gap, so long gaps are under-represented.
    """
    return float(np.abs(predicted.astype(np.float64) - actual).mean())


def _at(hits: np.ndarray, basket_sizes: np.ndarray, cutoff: int) -> dict[str, np.ndarray]:
    """The metrics of each customer; `hits` bool [B, cutoff], `basket_sizes` [B]."""
    found = hits.sum(axis=1)
    discounts = 1.0 / np.log2(np.arange(2, cutoff + 2))
    best = np.cumsum(discounts)[np.minimum(basket_sizes, cutoff).astype(int) - 1]
    return {
        "recall": found / basket_sizes,
        "precision": found / cutoff,
        "f1": 2.0 * found / (basket_sizes + cutoff),
        "hit_ratio": (found > 0).astype(np.float64),
        "ndcg": (hits * discounts).sum(axis=1) / best,
    }


def _hits(ranked: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Bool [B, R]: whether each ranked product was bought; by blocks of rows, to bound memory."""
    hits = np.zeros(ranked.shape, bool)
    for start in range(0, len(ranked), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        hits[rows] = (ranked[rows, :, None] == truth[rows, None, :]).any(axis=2)
    return hits & (ranked >= FIRST_PRODUCT_INDEX)
