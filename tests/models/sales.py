"""Histories of one store's sales, for tests of forecasts."""

import numpy as np

from models.demand.sales_history import SalesHistory, sales_history


def history(units: np.ndarray, *, empty_now: bool = False, first_day: int = 0) -> SalesHistory:
    """The history of a store with these units [N, T] from a Monday on; the last product's shelf may be empty now, or
    it may be new."""
    empty = np.zeros(len(units), dtype=bool)
    empty[-1] = empty_now
    first = np.zeros(len(units), dtype=np.int64)
    first[-1] = first_day
    return sales_history(units, np.arange(units.shape[1]) % 7, first, empty)
