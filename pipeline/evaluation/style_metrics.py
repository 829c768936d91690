"""Where in the ranking of everything in store stands what was bought."""

from itertools import pairwise

import numpy as np

from pipeline.evaluation.style_problem import Problem

RECALLED = (10, 100)
COVERED = (10, 50, 90)
CURVE_POINTS = 200


def ranks(problem: Problem, scores: np.ndarray) -> dict[str, np.ndarray]:
    """Share of the ranking above each bought pair, 0 best and 1 worst, and which pairs are explore or new.

    Args:    scores: float [C, S], higher is better.
    Returns: `above` and `above_explore` float64 [T], (rank - 1) / (articles - 1), ties halved, among all in store and
             among those that the customer never bought; `rank` float64 [T] among all; `explore`, `new` bool [T].
    """
    n_store = len(problem.store)
    owned = np.zeros(scores.shape, bool)
    owned[problem.owned()] = True
    found = {name: np.zeros(len(problem.rows)) for name in ("above", "above_explore", "rank")}
    starts = np.searchsorted(problem.rows, np.arange(len(problem.customers) + 1))
    for row, (first, end) in enumerate(pairwise(starts)):
        of_bought = scores[row, problem.columns[first:end]]
        found["rank"][first:end] = 1.0 + _above(scores[row], of_bought)
        found["above"][first:end] = (found["rank"][first:end] - 1.0) / max(n_store - 1, 1)
        other = scores[row, ~owned[row]]
        found["above_explore"][first:end] = _above(other, of_bought) / max(len(other) - 1, 1)
    explore = ~owned[problem.rows, problem.columns]
    new = ~problem.past.sold()[problem.store[problem.columns]]
    return found | {"explore": explore, "new": new}


def style_scores(problem: Problem, found: dict[str, np.ndarray]) -> dict[str, float]:
    """Figures of one cutoff from its `ranks`; a part without pairs has none."""
    above, rank = found["above"], found["rank"]
    by_customer = np.bincount(problem.rows, above) / np.maximum(np.bincount(problem.rows), 1)
    figures = {"auc": 1.0 - above.mean(), "auc_by_customer": 1.0 - by_customer.mean()}
    if found["explore"].any():
        figures["auc_explore"] = 1.0 - found["above_explore"][found["explore"]].mean()
    if found["new"].any():
        figures["auc_new"] = 1.0 - above[found["new"]].mean()
    figures |= {f"covers_{share}": np.quantile(rank, share / 100, method="higher") for share in COVERED}
    return {name: float(value) for name, value in (figures | recalls(problem, rank)).items()}


def recalls(problem: Problem, rank: np.ndarray) -> dict[str, float]:
    """Mean over customers of the share of their bought articles among the first k, ties halved."""
    bought = np.bincount(problem.rows)
    return {f"recall@{k}": (np.bincount(problem.rows, rank <= k) / np.maximum(bought, 1)).mean() for k in RECALLED}


def curve(above: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cumulative distribution of ranks: the share of bought pairs within each share of the ranking; float64 [K] each.

    With one bought article among many it is the ROC curve as well.
    """
    shares = np.concatenate([[0.0], np.geomspace(1e-4, 1.0, CURVE_POINTS - 1)])
    return shares, np.searchsorted(np.sort(above), shares, side="right") / max(len(above), 1)


def _above(scores: np.ndarray, of_bought: np.ndarray) -> np.ndarray:
    """How many scores are above each of some of them, ties halved and themselves left out."""
    ordered = np.sort(scores)
    below, up_to = np.searchsorted(ordered, of_bought, "left"), np.searchsorted(ordered, of_bought, "right")
    return (len(scores) - up_to) + 0.5 * np.maximum(up_to - below - 1, 0)
