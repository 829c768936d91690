"""Whether a customer spends more or less than it did."""

import numpy as np

from models.customer_value.purchase_days import PurchaseDays

_MORE, _LESS = 1.25, 0.8


def trends(purchases: PurchaseDays, day: int, customers: np.ndarray, horizon: int) -> np.ndarray:
    """Spend of the latest `horizon` days beside that of as many before; object [n], each of `kinds.TRENDS`.

    new: nothing before these days; none: nothing in either; up: a quarter more; down: a fifth less.
    """
    earlier, before, latest = (
        purchases.totals(*ends)[1][customers]
        for ends in ((0, day - 2 * horizon), (day - 2 * horizon, day - horizon), (day - horizon, day))
    )
    conditions = [
        (before <= 0) & (earlier <= 0) & (latest > 0),
        (before <= 0) & (latest <= 0),
        latest >= _MORE * before,
        latest <= _LESS * before,
    ]
    found: np.ndarray = np.select(conditions, ["new", "none", "up", "down"], "steady").astype(object)
    return found
