"""Metrics of next-basket rankings: at all cutoffs, for baskets of variable size, for repeat and explore products."""

import numpy as np
from scipy import sparse

from models.baselines.next_basket import Ranking
from models.basket_sequences import BasketSequences
from models.ragged import positions_within
from pipeline.benchmarks.data.folds import Fold
from pipeline.benchmarks.report.calibration import reliability
from pipeline.evaluation.metrics import (
    basket_metrics,
    customer_metrics,
    harmonic_mean,
    mean_over_cutoffs,
    ranking_metrics,
)

AVERAGED = tuple(range(1, 11))
CUTOFFS = (*AVERAGED, 20)
WIDTH = max(CUTOFFS)
PARTED = ("recall", "hit_ratio", "ndcg")
PAIRED_CUTOFF = 10
PAIRED = tuple(f"{name}@{PAIRED_CUTOFF}" for name in ("recall", "ndcg", "hit_ratio"))


def scores_of(ranking: Ranking, fold: Fold, *, ndcg_over_whole_basket: bool) -> dict[str, float]:
    """Metrics by name.

    `recall@10`, ...: see pipeline/evaluation/metrics.py; `f1@k` is the mean of customers' F1, `f1_of_means@k` the F1 of
    mean recall and mean precision, `...@1-10` the mean over those cutoffs. `...@basket` is about the first products of
    each ranking: as many as the method predicts, or else the mean size of the customer's baskets.
    `repeat_...` counts only products of the true basket that the customer bought before, over the customers who have
    such, `explore_...` only the others; `repeat_share@k` is the share of repeat products among those named.
    """
    truth, sizes = as_rows(fold.truth), fold.truth.basket_sizes
    metrics = ranking_metrics(ranking.products, truth, sizes, CUTOFFS, ndcg_over_whole_basket=ndcg_over_whole_basket)
    for cutoff in CUTOFFS:
        f1 = harmonic_mean(metrics[f"recall@{cutoff}"], metrics[f"precision@{cutoff}"])
        metrics[f"f1_of_means@{cutoff}"] = f1
    metrics |= mean_over_cutoffs(metrics, AVERAGED)
    predicted = usual_sizes(fold.histories) if ranking.sizes is None else ranking.sizes
    metrics |= basket_metrics(ranking.products, truth, sizes, np.clip(predicted, 1, WIDTH))
    return metrics | _repeat_and_explore(ranking.products, truth, fold.histories, ndcg_over_whole_basket)


def customer_scores(ranking: Ranking, fold: Fold, *, ndcg_over_whole_basket: bool) -> dict[str, np.ndarray]:
    """The metrics of PAIRED for each test customer, from which paired differences between methods are computed."""
    found = customer_metrics(
        ranking.products,
        as_rows(fold.truth),
        fold.truth.basket_sizes,
        PAIRED_CUTOFF,
        ndcg_over_whole_basket=ndcg_over_whole_basket,
    )
    return {name: found[name] for name in PAIRED}


def reliability_of(ranking: Ranking, fold: Fold) -> dict[str, list[dict[str, float]]]:
    """Bins of predictions against observations (see `calibration.reliability`).

    `products`: probabilities of the ranked products, and whether they were bought. `units`: predicted and bought units
    of the products in the predicted basket that were bought.
    """
    truth = as_rows(fold.truth)
    found = {}
    if ranking.are_probabilities:
        named = ranking.products > 0
        found["products"] = reliability(ranking.scores[named], is_in(ranking.products, truth)[named])
    if ranking.decoded_basket is not None and ranking.units is not None and fold.truth.quantities is not None:
        bought = units_bought(ranking.decoded_basket, fold.truth)
        found["units"] = reliability(ranking.units[bought > 0], bought[bought > 0])
    return found


def units_bought(products: np.ndarray, truth: BasketSequences) -> np.ndarray:
    """Units of each product in the true basket, 0 for those that are not in it; int32 [B, S] -> float32 [B, S]."""
    assert truth.quantities is not None
    bought = sparse.csr_array(
        (truth.quantities, truth.product_ids, truth.product_offsets), shape=(len(truth), truth.n_products)
    )
    rows = np.broadcast_to(np.arange(len(products))[:, None], products.shape)
    units = np.asarray(bought[rows.ravel(), products.ravel()]).reshape(products.shape)
    return np.where(products > 0, units, 0.0)


def is_in(products: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Whether each product named is in the true basket; int32 [B, K], [B, P] -> bool [B, K]."""
    found: np.ndarray = (products[:, :, None] == truth[:, None]).any(axis=2) & (products > 0)
    return found


def usual_sizes(histories: BasketSequences) -> np.ndarray:
    """Mean products of a customer's baskets, rounded, at least 1; int64 [B]."""
    lines = histories.product_offsets[histories.basket_offsets]
    return np.maximum(np.rint(np.diff(lines) / np.maximum(histories.n_baskets, 1)), 1).astype(np.int64)


def as_rows(truth: BasketSequences) -> np.ndarray:
    """The products of one basket each, 0 padded; int32 [B, P]."""
    sizes = truth.basket_sizes
    rows = np.zeros((len(truth), sizes.max()), np.int32)
    rows[np.repeat(np.arange(len(truth)), sizes), positions_within(sizes)] = truth.product_ids
    return rows


def _repeat_and_explore(
    ranked: np.ndarray, truth: np.ndarray, histories: BasketSequences, ndcg_over_whole_basket: bool
) -> dict[str, float]:
    own = histories.matrix()
    bought_before, named_before = _bought(own, truth), _bought(own, ranked)
    metrics: dict[str, float] = {}
    for kind, part in (("repeat", bought_before), ("explore", ~bought_before & (truth > 0))):
        counts = part.sum(axis=1)
        some = counts > 0
        if some.any():
            found = ranking_metrics(
                ranked[some],
                np.where(part, truth, 0)[some],
                counts[some],
                CUTOFFS,
                ndcg_over_whole_basket=ndcg_over_whole_basket,
            )
            metrics |= {f"{kind}_{name}@{k}": found[f"{name}@{k}"] for name in PARTED for k in CUTOFFS}
    return metrics | {f"repeat_share@{k}": float(named_before[:, :k].mean()) for k in CUTOFFS}


def _bought(own: sparse.csr_array, products: np.ndarray) -> np.ndarray:
    """Whether each product [B, P] is among the customer's own; `own` [B, V]."""
    n_products = own.shape[1]
    rows = np.repeat(np.arange(own.shape[0], dtype=np.int64), np.diff(own.indptr))
    keys = np.arange(len(products), dtype=np.int64)[:, None] * n_products + products
    known: np.ndarray = np.isin(keys, rows * n_products + own.indices)
    return known & (products > 0)
