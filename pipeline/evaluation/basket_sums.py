"""What predicted baskets of one past morning were worth, as sums over customers (see `basket_backtests`).

Whole numbers, so that no order of customers changes a bit: shares and probabilities count in steps of 1 / STEPS.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.evaluation.metrics import hits_of
from pipeline.tables.basket_backtests import CUTOFF, TENTHS

STEPS = 2**20
COUNTS = (
    "predicted",
    "came",
    "named",
    "bought",
    "hits",
    "hit_customers",
    "size_error",
    "days_error",
    "due",
    "came_by_due",
    "list_named",
    "list_hits",
    "list_hit_customers",
)
SHARES = ("recall_10", "list_recall_10")
BY_TENTH = ("named_by_tenth", "hits_by_tenth", "stated_by_tenth")
N_SUMS = len(COUNTS) + len(SHARES) + TENTHS * len(BY_TENTH)


@dataclass(frozen=True)
class StatedBaskets:
    """Predicted baskets of B customers, up to K products each.

    Args:
        products: int [B, K], vocabulary indices, most probable first; the unknown index for a product that the
            vocabulary does not hold, 0 padded.
        probabilities: float [B, K]; days: int [B], from the morning to the stated day, 0 or more.
    """

    products: np.ndarray
    probabilities: np.ndarray
    days: np.ndarray


@dataclass(frozen=True)
class BoughtBaskets:
    """What the same customers bought next: B customers, of whom C came.

    Args:
        came: bool [B]. All other arrays are of these alone:
        days: int [C], from the morning to the basket; products: int [C, P], indices below the first product ignored;
        sizes: [C], different products, unknown ones included; own: int [C, L], the customer's own products, most
            frequent first, 0 padded.
    """

    came: np.ndarray
    days: np.ndarray
    products: np.ndarray
    sizes: np.ndarray
    own: np.ndarray


def basket_sums(stated: StatedBaskets, bought: BoughtBaskets, passed_days: int) -> np.ndarray:
    """Sums over the customers; int64 [N_SUMS]: COUNTS, SHARES in steps, then BY_TENTH, probabilities in steps.

    Args: passed_days: from the morning to the night that knows what was bought.
    """
    came, named = bought.came, stated.products[bought.came]
    is_named, is_hit = named > 0, hits_of(named, bought.products)
    lengths, sizes = is_named.sum(axis=1), bought.sizes.astype(np.int64)
    # As many as the predicted basket, so that neither finds more by naming more.
    listed = np.where(np.arange(bought.own.shape[1]) < lengths[:, None], bought.own, 0)
    listed_hit = hits_of(listed, bought.products)
    due = stated.days < passed_days
    counts = {
        "predicted": len(came),
        "came": came.sum(),
        "named": lengths.sum(),
        "bought": sizes.sum(),
        "hits": is_hit.sum(),
        "hit_customers": is_hit.any(axis=1).sum(),
        "size_error": np.abs(lengths - sizes).sum(),
        "days_error": np.abs(stated.days[came] - bought.days).sum(),
        "due": due.sum(),
        "came_by_due": (due[came] & (bought.days <= stated.days[came])).sum(),
        "list_named": (listed > 0).sum(),
        "list_hits": listed_hit.sum(),
        "list_hit_customers": listed_hit.any(axis=1).sum(),
        "recall_10": _steps(is_hit[:, :CUTOFF].sum(axis=1) / sizes).sum(),
        "list_recall_10": _steps(listed_hit[:, :CUTOFF].sum(axis=1) / sizes).sum(),
    }
    probabilities = stated.probabilities[came][is_named]
    tenth = np.clip((probabilities * TENTHS).astype(np.int64), 0, TENTHS - 1)
    by_tenth = np.zeros((len(BY_TENTH), TENTHS), np.int64)
    for row, values in enumerate((1, is_hit[is_named], _steps(probabilities))):
        np.add.at(by_tenth[row], tenth, values)
    return np.concatenate([[counts[name] for name in (*COUNTS, *SHARES)], by_tenth.ravel()]).astype(np.int64)


def columns_of(sums: np.ndarray) -> dict[str, Any]:
    """Sums as the columns of `basket_backtests`, by name.

    Args: sums: int64 [N_SUMS], as `basket_sums` returns them, or added up.
    """
    counts, shares, by_tenth = np.split(sums, [len(COUNTS), len(COUNTS) + len(SHARES)])
    named, hits, stated = by_tenth.reshape(-1, TENTHS)
    columns: dict[str, Any] = dict(zip(COUNTS, counts.tolist(), strict=True))
    columns |= dict(zip(SHARES, (shares / STEPS).tolist(), strict=True))
    return columns | dict(zip(BY_TENTH, (named.tolist(), hits.tolist(), (stated / STEPS).tolist()), strict=True))


def _steps(values: np.ndarray) -> np.ndarray:
    steps: np.ndarray = np.rint(np.asarray(values, np.float64) * STEPS).astype(np.int64)
    return steps
