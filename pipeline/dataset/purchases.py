"""Purchases of articles by customers over time, what is known of the articles, and what was in store when."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from models.ragged import offsets_of


@dataclass(frozen=True)
class Purchases:
    """Purchases in order of customer, then time, then order; P of them, by N customers, of V articles.

    customers, items: int32 [P], indices; times: float64 [P], days; orders: int64 [P], equal for what one customer
    bought at one time.
    """

    customers: np.ndarray
    items: np.ndarray
    times: np.ndarray
    orders: np.ndarray
    n_customers: int
    n_items: int

    @classmethod
    def sort(
        cls, customers: np.ndarray, items: np.ndarray, times: np.ndarray, n_customers: int, n_items: int
    ) -> "Purchases":
        """From lines in any order; lines of one customer, time and article are one purchase."""
        order = np.lexsort((items, times, customers))
        lines = customers[order].astype(np.int32), items[order].astype(np.int32), times[order].astype(np.float64)
        new_order = np.ones(len(order), bool)
        new_order[1:] = (np.diff(lines[0]) != 0) | (np.diff(lines[2]) != 0)
        first = new_order.copy()
        first[1:] |= np.diff(lines[1]) != 0
        sold, articles, at = (each[first] for each in lines)
        return cls(sold, articles, at, (np.cumsum(new_order) - 1)[first], n_customers, n_items)

    def __len__(self) -> int:
        return len(self.items)

    def between(self, first: float, end: float) -> "Purchases":
        """Those at times from `first` to before `end`."""
        return self.take((self.times >= first) & (self.times < end))

    def take(self, chosen: np.ndarray) -> "Purchases":
        """Those of a mask, in the same order."""
        of_lines = (each[chosen] for each in (self.customers, self.items, self.times, self.orders))
        customers, items, times, orders = of_lines
        return Purchases(customers, items, times, orders, self.n_customers, self.n_items)

    @property
    def offsets(self) -> np.ndarray:
        """Where each customer's purchases begin, and where the last one's end; int64 [N + 1]."""
        return offsets_of(np.bincount(self.customers, minlength=self.n_customers))

    def sold(self) -> np.ndarray:
        """Whether each article was ever bought; bool [V]."""
        return np.bincount(self.items, minlength=self.n_items) > 0


@dataclass(frozen=True)
class Articles:
    """What is known of V articles.

    names: object [V]; tag_offsets: int64 [V + 1] and tags: int32, the tags of each article; tag_names: list of them;
    numbers: float32 [V, m], not scaled; images: float32 [V, d], outputs of an image network, or uint8 [V, h, w, 3], or
    None; has_image: bool [V].
    """

    names: np.ndarray
    tag_offsets: np.ndarray
    tags: np.ndarray
    tag_names: list[str]
    numbers: np.ndarray
    images: np.ndarray | None = None
    has_image: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.names)

    @classmethod
    def of_tags(
        cls, names: np.ndarray, tags: list[list[str]], numbers: np.ndarray, min_articles: int = 1
    ) -> "Articles":
        """From lists of tags by article; a tag of fewer than `min_articles` articles is left out."""
        flat = np.array([tag for of_article in tags for tag in of_article], object)
        rows = np.repeat(np.arange(len(tags)), [len(of_article) for of_article in tags])
        known, codes, counts = np.unique(flat, return_inverse=True, return_counts=True)
        kept = np.flatnonzero(counts >= min_articles)
        code = np.full(len(known), -1, np.int32)
        code[kept] = np.arange(len(kept))
        chosen = code[codes] >= 0
        lengths = np.bincount(rows[chosen], minlength=len(tags))
        return cls(names, offsets_of(lengths), code[codes][chosen], known[kept].tolist(), numbers.astype(np.float32))


class SoldAssortment:
    """What is in store at a time, where nothing says so: what sells from `before` days before it to `after` days after.

    Args: purchases: all that may be read; sales of later days are not known, and the window then ends earlier.
    """

    def __init__(self, purchases: Purchases, before: float = 30.0, after: float = 38.0) -> None:
        order = np.argsort(purchases.times, kind="stable")
        self._times, self._items = purchases.times[order], purchases.items[order]
        self._before, self._after = before, after
        # One store per day serves all orders of the day.
        self.at = lru_cache(maxsize=1024)(self._at)

    def _at(self, day: int) -> np.ndarray:
        """Articles in store on a day, ascending; int32."""
        first, end = np.searchsorted(self._times, [day - self._before, day + self._after])
        return np.unique(self._items[first:end])


class DatedAssortment:
    """What is in store from a day to the day before another; NaN leaves an end open.

    Args: first, end: float64 [V], days.
    """

    def __init__(self, first: np.ndarray, end: np.ndarray) -> None:
        self._first, self._end = np.nan_to_num(first, nan=-np.inf), np.nan_to_num(end, nan=np.inf)
        self.at = lru_cache(maxsize=1024)(self._at)

    def _at(self, day: int) -> np.ndarray:
        """Articles in store on a day, ascending; int32."""
        return self.between(day, day + 1)

    def between(self, first: float, end: float) -> np.ndarray:
        """Articles in store on any day from `first` to before `end`, ascending; int32."""
        return np.flatnonzero((self._first < end) & (first < self._end)).astype(np.int32)


Assortment = SoldAssortment | DatedAssortment
