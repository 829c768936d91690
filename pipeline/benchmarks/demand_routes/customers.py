"""Who is predicted as of a window, where they buy, and how much all others bought lately; from sales before it."""

import numpy as np
from numpy.typing import NDArray

from models.demand.model_route import WINDOW_DAYS, WINDOWS, share_of_others
from pipeline.benchmarks.data.daily_sales import DailySales

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


def other_share(sales: DailySales, today: int, active_days: int, min_baskets: int) -> Array:
    """Share of each product's units that others buy, [N]; NaN of products not sold before day `today`.

    The nightly job's rule (`spark_jobs.customer_demand.shares_of_others`), a basket being a customer's day in a store.
    """
    known = sales.line_days < today
    count = int(sales.line_customers.max(initial=0)) + 1
    customers, rows = sales.line_customers[known], sales.line_products[known]
    days, units = sales.line_days[known], sales.line_units[known]
    others, everyone = np.zeros((2, len(sales.units)))
    for begun in range(today - WINDOWS * WINDOW_DAYS, today, WINDOW_DAYS):
        before = (days < begun) & (customers >= 0)
        baskets = np.unique(np.stack([customers, sales.stores[rows], days])[:, before], axis=1)
        predicted = _predicted(baskets[0], baskets[2], count, begun - active_days, min_baskets)
        within = (days >= begun) & (days < begun + WINDOW_DAYS)
        is_other = (customers[within] < 0) | ~predicted[customers[within]]
        everyone += np.bincount(rows[within], units[within], len(everyone))
        others += np.bincount(rows[within], units[within] * is_other, len(everyone))
    store = sales.stores
    of_store = np.bincount(store, others) / np.maximum(np.bincount(store, everyone), 1e-9)
    sold = np.bincount(rows, minlength=len(everyone)) > 0
    return np.where(sold, share_of_others(others, everyone, of_store[store]), np.nan)


def _predicted(customers: Ints, days: Ints, count: int, active_from: int, min_baskets: int) -> NDArray[np.bool_]:
    """By customer, [count], whether enough of these baskets are its own and the latest is not too old."""
    last = np.full(count, -(10**6))
    np.maximum.at(last, customers, days)
    found: NDArray[np.bool_] = (np.bincount(customers, minlength=count) >= min_baskets) & (last >= active_from)
    return found
