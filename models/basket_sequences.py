"""Customers' baskets as flat arrays with offsets: what next-basket methods learn from and rank for.

Product indices are those of `models/special_ids.py`: real products begin at FIRST_PRODUCT.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from models import fields
from models.ragged import offsets_of, ranges
from models.special_ids import FIRST_PRODUCT


@dataclass(frozen=True)
class BasketSequences:
    """n customers with m baskets and l lines in all, oldest basket first.

    Baskets of customer i are `basket_offsets[i]` to `basket_offsets[i + 1]`; lines of basket j likewise.
    A basket names a product at most once.
    """

    customers: np.ndarray  # int64 [n], the customer's number in its data set
    basket_offsets: np.ndarray  # int64 [n + 1]
    product_offsets: np.ndarray  # int64 [m + 1]
    product_ids: np.ndarray  # int32 [l]
    n_products: int  # size of the vocabulary, special indices included
    sold_on: np.ndarray | None = None  # int32 [m], days since 1970-01-01; None where the data have no dates
    quantities: np.ndarray | None = None  # float32 [l], units; None where unknown
    attributes: np.ndarray | None = None  # int32 [n, A], what customers are like, hashed, 0 padded; None where unknown

    def __len__(self) -> int:
        return len(self.customers)

    @classmethod
    def of_batch(cls, batch: dict[str, np.ndarray], n_products: int) -> "BasketSequences":
        """The pasts of a model's batch (see `models/fields.py`); unknown products and padding are dropped."""
        rows = batch[fields.BASKET_ROWS]
        lines = batch[fields.PRODUCT_IDS][rows[rows > 0] - 1]
        # A product on two lines of a basket is one purchase: sorted, its second line equals the first.
        lines = np.sort(lines, axis=1)
        kept = (lines >= FIRST_PRODUCT) & np.pad(lines[:, 1:] != lines[:, :-1], [(0, 0), (1, 0)], constant_values=True)
        return cls(
            customers=np.arange(len(rows)),
            basket_offsets=offsets_of((rows > 0).sum(axis=1)),
            product_offsets=offsets_of(kept.sum(axis=1)),
            product_ids=lines[kept].astype(np.int32),
            n_products=n_products,
        )

    @classmethod
    def of_nobody(cls, n_products: int) -> "BasketSequences":
        """No customer at all."""
        none, start = np.zeros(0, np.int64), np.zeros(1, np.int64)
        return cls(none, start, start, none.astype(np.int32), n_products)

    @classmethod
    def joined(cls, parts: Sequence["BasketSequences"]) -> "BasketSequences":
        """The customers of all parts, one part after another."""
        dated = all(part.sold_on is not None for part in parts)
        counted = all(part.quantities is not None for part in parts)
        described = all(part.attributes is not None for part in parts)
        return cls(
            customers=np.concatenate([part.customers for part in parts]),
            basket_offsets=offsets_of(np.concatenate([part.n_baskets for part in parts])),
            product_offsets=offsets_of(np.concatenate([part.basket_sizes for part in parts])),
            product_ids=np.concatenate([part.product_ids for part in parts]),
            n_products=max(part.n_products for part in parts),
            sold_on=np.concatenate([part.sold_on for part in parts]) if dated else None,
            quantities=np.concatenate([part.quantities for part in parts]) if counted else None,
            attributes=np.concatenate([part.attributes for part in parts]) if described else None,
        )

    @property
    def n_baskets(self) -> np.ndarray:
        """Baskets of each customer; int64 [n]."""
        return np.diff(self.basket_offsets)

    @property
    def basket_sizes(self) -> np.ndarray:
        """Products of each basket; int64 [m]."""
        return np.diff(self.product_offsets)

    @property
    def customer_of_basket(self) -> np.ndarray:
        """Row of each basket's customer; int64 [m]."""
        return np.repeat(np.arange(len(self)), self.n_baskets)

    @property
    def basket_of_line(self) -> np.ndarray:
        """Number of each line's basket; int64 [l]."""
        return np.repeat(np.arange(len(self.product_offsets) - 1), self.basket_sizes)

    @property
    def age_of_basket(self) -> np.ndarray:
        """Baskets that the customer had after it: 0 for the latest; int64 [m]."""
        return np.repeat(self.basket_offsets[1:] - 1, self.n_baskets) - np.arange(len(self.product_offsets) - 1)

    def take(self, rows: np.ndarray) -> "BasketSequences":
        """Some customers, in the order of `rows`."""
        return self._pick(rows, self.basket_offsets[rows], self.basket_offsets[rows + 1])

    def without_last(self) -> "BasketSequences":
        """Everyone's history before the last basket."""
        return self._pick(np.arange(len(self)), self.basket_offsets[:-1], self.basket_offsets[1:] - 1)

    def last(self) -> "BasketSequences":
        """Everyone's last basket alone."""
        return self._pick(np.arange(len(self)), self.basket_offsets[1:] - 1, self.basket_offsets[1:])

    def basket_matrix(self) -> sparse.csr_array:
        """1 where a basket has a product; float32 [m, V]."""
        return sparse.csr_array(
            (np.ones(len(self.product_ids), np.float32), self.product_ids, self.product_offsets),
            shape=(len(self.basket_sizes), self.n_products),
        )

    def matrix(self, basket_values: np.ndarray | None = None) -> sparse.csr_array:
        """Sum of `basket_values` [m], 1 where left out, over a customer's baskets with a product; float32 [n, V]."""
        lines = self.basket_of_line
        of_baskets = np.ones(len(self.basket_sizes)) if basket_values is None else basket_values
        values = of_baskets.astype(np.float32)[lines]
        matrix = sparse.csr_array(
            (values, (self.customer_of_basket[lines], self.product_ids)), shape=(len(self), self.n_products)
        )
        matrix.sum_duplicates()
        return matrix

    def pair_of_line(self, matrix: sparse.csr_array) -> np.ndarray:
        """Where in `matrix.data`, of a matrix made by `matrix`, each line's customer and product are; int64 [l]."""
        rows = np.repeat(np.arange(len(self), dtype=np.int64), np.diff(matrix.indptr))
        keys = self.customer_of_basket[self.basket_of_line] * self.n_products + self.product_ids
        values: np.ndarray = np.searchsorted(rows * self.n_products + matrix.indices, keys)
        return values

    def latest(self, matrix: sparse.csr_array) -> np.ndarray:
        """For each customer and product in `matrix`, the baskets since the last one with the product: 0 if in it."""
        ages = np.full(matrix.nnz, np.iinfo(np.int64).max)
        np.minimum.at(ages, self.pair_of_line(matrix), self.age_of_basket[self.basket_of_line])
        return ages

    def _pick(self, rows: np.ndarray, first: np.ndarray, end: np.ndarray) -> "BasketSequences":
        """For each of `rows` the baskets `first` to `end` of all baskets."""
        baskets = ranges(first, end - first)
        sizes = self.basket_sizes[baskets]
        lines = ranges(self.product_offsets[baskets], sizes)
        return BasketSequences(
            customers=self.customers[rows],
            basket_offsets=offsets_of(end - first),
            product_offsets=offsets_of(sizes),
            product_ids=self.product_ids[lines],
            n_products=self.n_products,
            sold_on=None if self.sold_on is None else self.sold_on[baskets],
            quantities=None if self.quantities is None else self.quantities[lines],
            attributes=None if self.attributes is None else self.attributes[rows],
        )
