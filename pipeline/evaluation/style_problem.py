"""The question that models of style are measured by: which of the articles in store a customer buys after a cutoff.

In store is what the catalogue says, or what anyone buys from 30 days before the cutoff to 38 days after. Asked are
customers who bought before the cutoff and in the days after it.
"""

from dataclasses import dataclass, field

import numpy as np

from pipeline.dataset.purchases import Articles, Assortment, DatedAssortment, Purchases, SoldAssortment

WINDOW_DAYS, BEFORE_DAYS, AFTER_DAYS = 8, 30, 38


@dataclass(frozen=True)
class Shop:
    """A data set: all purchases, the articles, and the cutoffs by part.

    drawn: how many customers are asked, 0: all; assortment: what is in store when; None: what sells around the day;
    views: what customers looked at, in the form of purchases; None: not known.
    """

    purchases: Purchases
    articles: Articles
    cutoffs: dict[str, tuple[int, ...]] = field(default_factory=dict)
    drawn: int = 0
    assortment: DatedAssortment | None = None
    views: Purchases | None = None


@dataclass(frozen=True)
class Problem:
    """One cutoff of a shop.

    past, views: purchases and views before it; articles: of the whole shop; store: int32 [S], articles in store,
    ascending; customers: int32 [C], who are asked; rows, columns: int64 [T], bought pairs as positions in `customers`
    and in `store`.
    """

    past: Purchases
    articles: Articles
    cutoff: int
    store: np.ndarray
    customers: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    dated: DatedAssortment | None = None
    views: Purchases | None = None

    @property
    def assortment(self) -> Assortment:
        """What was in store on any day, as far as it is known before the cutoff."""
        return self.dated or SoldAssortment(self.past, BEFORE_DAYS, AFTER_DAYS)

    def owned(self) -> tuple[np.ndarray, np.ndarray]:
        """Pairs of `customers` and `store` that were bought before the cutoff, each once; positions int64."""
        row_of = np.full(self.past.n_customers, -1)
        row_of[self.customers] = np.arange(len(self.customers))
        column_of = np.full(self.past.n_items, -1)
        column_of[self.store] = np.arange(len(self.store))
        rows, columns = row_of[self.past.customers], column_of[self.past.items]
        kept = (rows >= 0) & (columns >= 0)
        pairs = np.unique(rows[kept] * len(self.store) + columns[kept])
        return pairs // len(self.store), pairs % len(self.store)


def problem_at(shop: Shop, cutoff: int, seed: int = 0, days: int = WINDOW_DAYS) -> Problem:
    """The question as of a cutoff: what is bought in the `days` from it.

    Raises: ValueError: where no customer bought both before the cutoff and in the days after it.
    """
    past, window = shop.purchases.between(-np.inf, cutoff), shop.purchases.between(cutoff, cutoff + days)
    customers = np.intersect1d(past.customers, window.customers)
    if not len(customers):
        raise ValueError(f"no customer bought before day {cutoff} and in the {days} days from it")
    if 0 < shop.drawn < len(customers):
        customers = np.sort(np.random.default_rng(seed).choice(customers, shop.drawn, replace=False))
    if shop.assortment is None:
        store = SoldAssortment(shop.purchases, BEFORE_DAYS, AFTER_DAYS).at(cutoff)
    else:
        store = shop.assortment.between(cutoff, cutoff + days)
    row_of = np.full(past.n_customers, -1)
    row_of[customers] = np.arange(len(customers))
    asked = row_of[window.customers] >= 0
    pairs = np.unique(row_of[window.customers[asked]] * len(store) + np.searchsorted(store, window.items[asked]))
    rows, columns = pairs // len(store), pairs % len(store)
    views = None if shop.views is None else shop.views.between(-np.inf, cutoff)
    return Problem(past, shop.articles, cutoff, store, customers, rows, columns, shop.assortment, views)
