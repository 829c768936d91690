"""What customers bought and when, one row per customer and day: what every method of customer value reads."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class PurchaseDays:
    """Days on which customers bought or brought back, in order of customer and day.

    customers: int64 [N], row of the customer; days: int64 [N], since 1970-01-01; baskets: float64 [N], baskets of the
    day, 0 on a day of returns alone; spend: float64 [N], money paid less money paid back on that day, so that no later
    return changes an earlier day; lines: float64 [N], lines bought; n_customers: rows of customers.
    """

    customers: np.ndarray
    days: np.ndarray
    baskets: np.ndarray
    spend: np.ndarray
    lines: np.ndarray
    n_customers: int

    @classmethod
    def ordered(
        cls,
        customers: np.ndarray,
        days: np.ndarray,
        *,
        baskets: np.ndarray,
        spend: np.ndarray,
        lines: np.ndarray,
        n_customers: int,
    ) -> "PurchaseDays":
        """From one row per customer and day in any order."""
        order = np.lexsort((days, customers))
        customers, days = (column[order].astype(np.int64) for column in (customers, days))
        baskets, spend, lines = (column[order].astype(float) for column in (baskets, spend, lines))
        return cls(customers, days, baskets, spend, lines, n_customers)

    def take(self, rows: np.ndarray) -> "PurchaseDays":
        """Those rows; bool [N] or indices in ascending order."""
        return PurchaseDays(
            self.customers[rows],
            self.days[rows],
            self.baskets[rows],
            self.spend[rows],
            self.lines[rows],
            self.n_customers,
        )

    def before(self, day: int) -> "PurchaseDays":
        """What was known when `day` began."""
        return self.take(self.days < day)

    def known(self, day: int) -> np.ndarray:
        """Rows of the customers with a basket before a day, in order; int64 [n]."""
        return np.unique(self.customers[(self.days < day) & (self.baskets > 0)])

    def totals(self, first: int, end: int) -> tuple[np.ndarray, np.ndarray]:
        """Baskets and spend on the days from `first` to before `end`; two float64 [n_customers]."""
        inside = (self.days >= first) & (self.days < end)
        customer = self.customers[inside]
        sums = [
            np.bincount(customer, weights=column[inside], minlength=self.n_customers)
            for column in (self.baskets, self.spend)
        ]
        return sums[0], sums[1]
