"""Expected demand summed over customers: P(basket on a day) x P(product) x expected units, after what each one bought.

The nightly run sums predicted baskets; this sums simpler ones, so that a back-test can say what knowing the customers
adds: a customer's gaps between baskets, units in a basket and shares of products are shrunk to everyone's; a share to
that of a forecast of the store, whose units of each day the sum is brought to, so that only the mix is the customers'.
`average` makes the placebo, in which every customer is replaced by the average one.

Source: LENS, Algorithm 2, with baskets spread over days (`models.demand.customer_route`).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from models.demand.customer_route import gap_spread, visit_expectation

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

NEW_CUSTOMERS_DAYS = 7


@dataclass(frozen=True)
class CustomerConfig:
    """Strengths of shrinkage; the first two chosen on windows before the calibration window."""

    prior_units: float = 50.0
    memory_days: float = 7.0
    prior_gaps: float = 3.0
    prior_baskets: float = 2.0


@dataclass(frozen=True)
class Purchases:
    """Lines, each [L]: customer, product and day as numbers from 0, and units."""

    customers: Ints
    products: Ints
    days: Ints
    units: Array


def customer_demand(
    bought: Purchases, today: int, store: Array, config: CustomerConfig | None = None, *, average: bool = False
) -> Array:
    """Expected units of each product on each day from `today` on.

    Args:
        bought: lines of days before `today`, at least one.
        store: [N, H]; a forecast that needs no customers.
    Returns: float64 [N, H]; each day has the units of the store's forecast.
    """
    config = config or CustomerConfig()
    totals = store.sum(axis=0)
    usual = store.sum(axis=1) / max(store.sum(), 1e-9)
    fading = bought.units * 0.5 ** ((today - 1 - bought.days) / config.memory_days)
    shape = len(store), int(bought.customers.max()) + 1
    own = csr_matrix((fading, (bought.products, bought.customers)), shape=shape)
    of_customer = np.asarray(own.sum(axis=0)).ravel()
    expected = expected_by_customer(bought, today, len(totals), config)
    if average:
        known = np.unique(bought.customers)
        expected[known], of_customer[known] = expected[known].mean(axis=0), of_customer[known].mean()
    each = expected / (of_customer + config.prior_units)[:, None]
    mix = own @ each + config.prior_units * usual[:, None] * each.sum(axis=0)
    mix /= np.maximum(mix.sum(axis=0), 1e-9)
    new = _share_of_new(bought, today)
    mean: Array = ((1.0 - new) * mix + new * usual[:, None]) * totals
    return mean


def expected_by_customer(bought: Purchases, today: int, horizon: int, config: CustomerConfig) -> Array:
    """Expected units of each customer, whatever the product, on each day of the horizon, [C, H]."""
    span = max(today, int(bought.days.max()) + 1)
    customer, day = np.divmod(np.unique(bought.customers * span + bought.days), span)
    n = int(customer.max()) + 1
    baskets = np.bincount(customer, minlength=n)
    last = np.zeros(n)
    np.maximum.at(last, customer, day)
    follows = customer[1:] == customer[:-1]
    gaps, whose = np.log(np.diff(day)[follows]), customer[1:][follows]
    counts, sums = np.bincount(whose, minlength=n), np.bincount(whose, gaps, n)
    squares = float((gaps**2).sum() - (sums**2 / np.maximum(counts, 1)).sum())
    spread = gap_spread(squares, float(np.maximum(counts - 1, 0).sum()))
    # Long gaps are cut off by the first and the last day, so a gap that is not known is taken for a longer one.
    usual = gaps.mean() + 0.5 if len(gaps) else np.log(7.0)
    gap = np.exp((sums + config.prior_gaps * usual) / (counts + config.prior_gaps))
    in_basket = np.bincount(bought.customers, bought.units, n) + config.prior_baskets * bought.units.sum() / len(day)
    visits = visit_expectation(gap, np.maximum(today - last, 1.0), spread, horizon)
    units: Array = visits * (baskets > 0)[:, None] * (in_basket / (baskets + config.prior_baskets))[:, None]
    return units


def _share_of_new(bought: Purchases, today: int) -> float:
    """Share of the last days' units bought by customers who had not been seen before them."""
    recent = bought.days >= today - NEW_CUSTOMERS_DAYS
    seen = np.isin(bought.customers, bought.customers[~recent])
    return float(bought.units[recent & ~seen].sum() / max(bought.units[recent].sum(), 1e-9))
