"""Simulated customers, of whom it is known how they buy: Poisson purchases, leaving after some, spend of their own."""

import numpy as np

from models.customer_value.purchase_days import PurchaseDays

START = 19_000


def simulated(
    n: int = 600, days: int = 240, *, seed: int = 0, r: float = 1.0, alpha: float = 15.0, a: float = 0.4, b: float = 4.0
) -> PurchaseDays:
    """Customers who begin on the first half of the days; rates gamma(r, alpha), leaving beta(a, b)."""
    random = np.random.default_rng(seed)
    customers, bought, spend = [], [], []
    for customer in range(n):
        rate, leaves = random.gamma(r, 1.0 / alpha), random.beta(a, b)
        typical, day = random.lognormal(3.0, 0.8), random.uniform(0, days / 2)
        while day < days:
            customers.append(customer)
            bought.append(START + int(day))
            spend.append(typical * random.gamma(4.0, 0.25))
            if random.random() < leaves:
                break
            day += max(random.exponential(1.0 / max(rate, 1e-9)), 1.0)
    return PurchaseDays.ordered(
        np.array(customers),
        np.array(bought),
        baskets=np.ones(len(customers)),
        spend=np.array(spend),
        lines=np.ones(len(customers)),
        n_customers=n,
    )
