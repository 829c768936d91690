"""Ranking metrics of next-basket recommendation, per customer and then averaged, every customer counting once.

A ranking holds vocabulary indices, most probable first, none twice; the truth is the set of products in the next
basket. Products that share the unknown index cannot be recommended, yet they were bought: they count in the size of
the basket and are never hit, so that a small vocabulary does not flatter a model.
"""

import numpy as np

from models.refusal import Refusal
from pipeline.tables.vocabulary import FIRST_PRODUCT_INDEX

CUTOFFS = (1, 5, 10, 20)
METRICS = ("recall", "precision", "f1", "hit_ratio", "ndcg")
ROWS_AT_ONCE = 4096


def ranking_metrics(
    ranked: np.ndarray,
    truth: np.ndarray,
    basket_sizes: np.ndarray,
    cutoffs: tuple[int, ...] = CUTOFFS,
    *,
    ndcg_over_whole_basket: bool = False,
) -> dict[str, float]:
    """Mean recall, precision, F1, hit ratio and nDCG at each cutoff.

    Shapes: B customers, R ranked products, P products in the largest next basket.
    Args:    ranked: int [B, R], 0 where a ranking ends early;
             truth: int [B, P], known products of the next basket in any order; other indices are ignored;
             basket_sizes: [B], different products in the next basket, unknown ones included, at least 1;
             ndcg_over_whole_basket: divide by the gain of a ranking with all of the basket at its top, also where that
             is longer than the cutoff (as some published programs do) and 1 is out of reach.
    Returns: `recall@10`, `precision@10`, `f1@10`, `hit_ratio@10`, `ndcg@10`, ... each in [0, 1].
    Raises:  Refusal: if there is no customer to evaluate, or a basket is empty; ValueError: if R is below the largest
             cutoff.
    """
    if ranked.shape[1] < max(cutoffs):
        raise ValueError(f"{ranked.shape[1]} products are ranked, the largest cutoff is {max(cutoffs)}")
    if len(ranked) == 0 or (basket_sizes < 1).any():
        raise Refusal("nothing to evaluate: no customer, or a next basket without products")
    hits = hits_of(ranked, truth)
    means: dict[str, float] = {}
    for cutoff in cutoffs:
        ideal = basket_sizes if ndcg_over_whole_basket else np.minimum(basket_sizes, cutoff)
        per_customer = _at(hits[:, :cutoff], basket_sizes, ideal)
        means |= {f"{name}@{cutoff}": float(per_customer[name].mean()) for name in METRICS}
    return means


def customer_metrics(
    ranked: np.ndarray,
    truth: np.ndarray,
    basket_sizes: np.ndarray,
    cutoff: int,
    *,
    ndcg_over_whole_basket: bool = False,
) -> dict[str, np.ndarray]:
    """The metrics of each customer at one cutoff, whose means `ranking_metrics` gives.

    Args:    see `ranking_metrics`.
    Returns: `recall@10`, ... for a cutoff of 10, each float64 [B].
    """
    ideal = basket_sizes if ndcg_over_whole_basket else np.minimum(basket_sizes, cutoff)
    found = _at(hits_of(ranked, truth)[:, :cutoff], basket_sizes, ideal)
    return {f"{name}@{cutoff}": values for name, values in found.items()}


def basket_metrics(
    ranked: np.ndarray, truth: np.ndarray, basket_sizes: np.ndarray, predicted_sizes: np.ndarray
) -> dict[str, float]:
    """Mean recall, precision, F1 and hit ratio of baskets of a size of their own: the first products of each ranking.

    Args:    ranked, truth, basket_sizes: see `ranking_metrics`; predicted_sizes: int [B], at least 1.
    Returns: `recall@basket`, ...; products that a ranking ends without count as named and wrong.
    """
    named = np.arange(ranked.shape[1]) < predicted_sizes[:, None]
    found = (hits_of(ranked, truth) & named).sum(axis=1)
    return {
        "recall@basket": float((found / basket_sizes).mean()),
        "precision@basket": float((found / predicted_sizes).mean()),
        "f1@basket": float((2.0 * found / (basket_sizes + predicted_sizes)).mean()),
        "hit_ratio@basket": float((found > 0).mean()),
    }


def mean_over_cutoffs(metrics: dict[str, float], cutoffs: tuple[int, ...]) -> dict[str, float]:
    """Recall, precision, hit ratio and nDCG averaged over cutoffs, and the F1 of the first two: `recall@1-10`, ..."""
    label = f"{cutoffs[0]}-{cutoffs[-1]}"
    names = ("recall", "precision", "hit_ratio", "ndcg")
    means = {name: float(np.mean([metrics[f"{name}@{cutoff}"] for cutoff in cutoffs])) for name in names}
    f1 = harmonic_mean(means["recall"], means["precision"])
    return {f"{name}@{label}": value for name, value in means.items()} | {f"f1_of_means@{label}": f1}


def harmonic_mean(first: float, second: float) -> float:
    """2ab / (a + b); 0 where both are 0."""
    return 2.0 * first * second / (first + second) if first + second > 0 else 0.0


def gap_error_days(predicted: np.ndarray, actual: np.ndarray) -> float:
    """Mean absolute error of the days until the next basket, as predicted when the window began.

    Only customers who did come back within the window have an actual gap, so long gaps are under-represented.
    """
    return float(np.abs(predicted.astype(np.float64) - actual).mean())


def _at(hits: np.ndarray, basket_sizes: np.ndarray, ideal: np.ndarray) -> dict[str, np.ndarray]:
    """The metrics of each customer; `hits` bool [B, cutoff], `basket_sizes` [B], `ideal` [B] hits at best."""
    found, cutoff = hits.sum(axis=1), hits.shape[1]
    discounts = 1.0 / np.log2(np.arange(2, max(cutoff, int(ideal.max())) + 2))
    best = np.cumsum(discounts)[ideal.astype(int) - 1]
    return {
        "recall": found / basket_sizes,
        "precision": found / cutoff,
        "f1": 2.0 * found / (basket_sizes + cutoff),
        "hit_ratio": (found > 0).astype(np.float64),
        "ndcg": (hits * discounts[:cutoff]).sum(axis=1) / best,
    }


def hits_of(ranked: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Bool [B, R]: whether each ranked product was bought; by blocks of rows, to bound memory.

    Args: ranked, truth: see `ranking_metrics`.
    """
    hits = np.zeros(ranked.shape, bool)
    for start in range(0, len(ranked), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        hits[rows] = (ranked[rows, :, None] == truth[rows, None, :]).any(axis=2)
    return hits & (ranked >= FIRST_PRODUCT_INDEX)
