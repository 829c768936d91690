"""Baskets of many funnels side by side, as behaviour detection compares them.

Baskets lie in one long list, funnel by funnel and oldest first, so that "the baskets before" is arithmetic on positions
and no loop over funnels. A funnel has at most one basket a day.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class FunnelBaskets:
    """The baskets of F funnels.

    Shapes: B baskets over all funnels, P products.
    funnel:   int [B]; which funnel, ascending from 0 without gaps.
    day:      int [B]; ascending within a funnel, no day twice.
    units:    float64 [B, P] sparse; units of each product.
    recent:   bool [B]; the baskets to score, the last ones of their funnel; the others are its history.
    category: int [P]; category of each product, from 0.
    lines, basket_units, spend: float64 [B]; products, units and money of each basket.
    gap_days: float64 [B]; days since the funnel's previous basket on which its store traded; NaN for its first one.
    shut_since: int [B]; days after the basket and before today on which the store was shut: nobody is overdue for them.

    The measures of a basket are fields of their own, so that a benchmark can change one of them alone.
    """

    funnel: Integers
    day: Integers
    units: csr_array
    recent: Flags
    category: Integers
    lines: Array
    basket_units: Array
    spend: Array
    gap_days: Array
    shut_since: Integers

    @classmethod
    def of_lines(
        cls,
        funnel: Integers,
        day: Integers,
        product: Integers,
        units: Array,
        amounts: Array,
        *,
        category: Integers,
        recent_from: int | None,
        shut_since: Integers | None = None,
    ) -> "FunnelBaskets":
        """Baskets from lines in any order; baskets from the day `recent_from` on are scored, the others are history.

        Args:
            funnel, day, product, units, amounts: [L], funnels and products counted from 0; amounts are money.
            category: [P].
            recent_from: a day, as if no store was shut since; None: the last basket of every funnel is scored.
            shut_since: [L]; days without trade after the line's day; None: the stores never closed.
        """
        baskets, line, basket = np.unique(
            np.stack([funnel, day], axis=1), axis=0, return_index=True, return_inverse=True
        )
        shape = (len(baskets), len(category))
        matrix = csr_array((units, (basket.ravel(), product)), shape=shape)
        matrix.sum_duplicates()
        funnels, days = baskets[:, 0], baskets[:, 1]
        starts = np.diff(funnels, prepend=-1) > 0
        shut = np.zeros(len(baskets), np.int64) if shut_since is None else shut_since[line]
        # At least one day: a customer may have shopped elsewhere while the own store was shut.
        gaps = np.maximum(np.diff(days + shut, prepend=0), 1)
        return cls(
            funnel=funnels,
            day=days,
            units=matrix,
            recent=np.roll(starts, -1) if recent_from is None else days + shut >= recent_from,
            category=category,
            lines=np.maximum(np.diff(matrix.indptr), 1).astype(np.float64),
            basket_units=np.asarray(matrix.sum(axis=1), dtype=np.float64).ravel(),
            spend=np.bincount(basket.ravel(), weights=amounts, minlength=len(baskets)).astype(np.float64),
            gap_days=np.where(starts, np.nan, gaps),
            shut_since=shut,
        )

    def positions(self, funnel: Integers, day: Integers) -> Integers:
        """The baskets of these funnels on these days, which must be there."""
        span = int(self.day.max(initial=0)) + 1
        return np.searchsorted(self.funnel * span + self.day, funnel * span + day)

    def per_month(self) -> Array:
        """Money that each funnel spends per 30 days since its first basket, [F]."""
        days = np.maximum(self.day[self.last] - self.day[self.start], 30)
        values: Array = np.bincount(self.funnel, weights=self.spend, minlength=self.n_funnels) * 30.0 / days
        return values

    @cached_property
    def n_funnels(self) -> int:
        """F."""
        return int(self.funnel[-1]) + 1 if len(self.funnel) else 0

    @cached_property
    def bought(self) -> csr_array:
        """1 where a basket holds a product, [B, P]."""
        flags = self.units.copy()
        flags.data = np.ones_like(flags.data)
        return flags

    @cached_property
    def start(self) -> Integers:
        """First basket of each funnel, [F]."""
        return np.searchsorted(self.funnel, np.arange(self.n_funnels))

    @cached_property
    def last(self) -> Integers:
        """Last basket of each funnel, [F]."""
        return np.append(self.start[1:], len(self.funnel)) - 1

    @cached_property
    def n_recent(self) -> Integers:
        """Baskets to score, [F]."""
        return np.bincount(self.funnel, weights=self.recent, minlength=self.n_funnels).astype(np.int64)

    @cached_property
    def n_history(self) -> Integers:
        """Baskets of the history, [F]."""
        return np.bincount(self.funnel, minlength=self.n_funnels) - self.n_recent

    @cached_property
    def category_matrix(self) -> csr_array:
        """1 where a product is of a category, [P, K]."""
        products = np.arange(len(self.category))
        shape = (len(self.category), int(self.category.max(initial=-1)) + 1)
        return csr_array((np.ones(len(products)), (products, self.category)), shape=shape)

    @cached_property
    def known(self) -> csr_array:
        """Baskets of the history that hold each product, [F, P]."""
        history = np.flatnonzero(~self.recent)
        pick = csr_array(
            (np.ones(len(history)), (self.funnel[history], history)), shape=(self.n_funnels, len(self.funnel))
        )
        return csr_array(pick @ self.bought)

    @cached_property
    def expected(self) -> csr_array:
        """Share of the funnel's history baskets that hold each product, [B, P].

        A basket of the history is left out of its own expectation, so that its distance is comparable with that of a
        basket which is scored.
        """
        own = self.bought.copy()
        own.data *= np.repeat(~self.recent, np.diff(own.indptr))
        others = self.n_history[self.funnel] - ~self.recent
        shares = csr_array(self.known[self.funnel] - own)
        shares.data /= np.repeat(np.maximum(others, 1), np.diff(shares.indptr))
        shares.eliminate_zeros()
        return shares

    @cached_property
    def background(self) -> Array:
        """Share of all history lines that are of each product, slightly smoothed, [P]."""
        lines = np.asarray(self.known.sum(axis=0)).ravel() + 0.5
        values: Array = lines / lines.sum()
        return values
