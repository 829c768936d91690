"""How good expected baskets and spend are, beside what came."""

import numpy as np

METRICS = (
    "spend_gini",
    "spend_top_decile",
    "spend_mae",
    "spend_bias",
    "baskets_mae",
    "baskets_bias",
    "baskets_rank_correlation",
    "coverage",
)


def value_scores(
    expected: tuple[np.ndarray, np.ndarray],
    observed: tuple[np.ndarray, np.ndarray],
    band: tuple[np.ndarray, np.ndarray] | None = None,
) -> dict[str, float]:
    """Scores of all customers of one window.

    `spend_gini`: area between the curve of spend gathered in order of expectation and that of no order, relative to the
    best order's; `spend_top_decile`: share of all spend in the tenth that was expected to spend most; biases relative
    to the observed sum; `coverage`: share of customers whose spend lies in the band, its ends included.

    Args: expected, observed: baskets and spend, float64 [n] each; band: lower and upper end of spend.
    """
    (expected_baskets, expected_spend), (baskets, spend) = expected, observed
    if not len(spend):
        return dict.fromkeys(METRICS[:-1], 0.0)
    order = np.argsort(-expected_spend, kind="stable")
    total = max(float(spend.sum()), 1e-12)
    found = {
        "spend_gini": _above_chance(spend[order]) / max(_above_chance(-np.sort(-spend)), 1e-12),
        "spend_top_decile": float(spend[order[: max(len(order) // 10, 1)]].sum()) / total,
        "spend_mae": float(np.abs(expected_spend - spend).mean()),
        "spend_bias": float(expected_spend.sum()) / total - 1.0,
        "baskets_mae": float(np.abs(expected_baskets - baskets).mean()),
        "baskets_bias": float(expected_baskets.sum()) / max(float(baskets.sum()), 1e-12) - 1.0,
        "baskets_rank_correlation": _rank_correlation(expected_baskets, baskets),
    }
    if band is not None:
        found["coverage"] = float(((spend >= band[0]) & (spend <= band[1])).mean())
    return found


def _above_chance(spend: np.ndarray) -> float:
    """Sum of what the gathered share of spend is above the gathered share of customers."""
    n = len(spend)
    gathered = np.cumsum(spend) / max(float(spend.sum()), 1e-12)
    return float((gathered - np.arange(1, n + 1) / n).sum())


def _rank_correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Spearman's; 0 where either is the same for all."""
    from scipy.stats import rankdata

    ranks = rankdata(one), rankdata(other)
    if min(rank.std() for rank in ranks) == 0.0:
        return 0.0
    return float(np.corrcoef(*ranks)[0, 1])
