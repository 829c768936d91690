"""One store's pairs (`spark_jobs/product_histories.py`) as the arrays that a forecast reads."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from models.demand.kinds import product_kinds, shares_in_all_stores
from models.demand.promotions import uplift
from models.demand.sales_history import SalesHistory, sales_history
from models.demand.simple_methods import mean_of_days

TRAILING_DAYS = 28


@dataclass(frozen=True)
class StoreSales:
    """Products of one store over its trailing days.

    Shapes: N products, T days from the store's first sale on; before it there was no store, not no demand.
    start: that day, as the pairs count days.
    purchases: [N, T]; purchase_size: [N], units of one; expected_size: [N], of the next one; ignored_units: [N].
    chain: [N, T] or None, shares in all stores; kinds: int [N].
    first_day: int [N], counted from `start`; empty_now: bool [N]; discontinued_in: float [N], days ahead, NaN never.
    """

    start: int
    purchases: np.ndarray
    purchase_size: np.ndarray
    expected_size: np.ndarray
    ignored_units: np.ndarray
    chain: np.ndarray | None
    kinds: np.ndarray
    first_day: np.ndarray
    empty_now: np.ndarray
    discontinued_in: np.ndarray

    @classmethod
    def of_pairs(cls, pairs: pd.DataFrame, days: int, in_all_stores: list[float] | None) -> "StoreSales":
        """The arrays of these pairs, whose index names the products; a product without a row was not sold here."""
        units = _by_day(pairs, "units", days)
        size = pairs["purchase_size"].fillna(1.0).to_numpy(float)
        traded = np.flatnonzero(units.sum(axis=0) > 0)
        start = int(traded[0]) if len(traded) else days - 1
        chain = None
        if in_all_stores is not None:
            elsewhere = _by_day(pairs, "purchases", days)
            chain = shares_in_all_stores(elsewhere, np.array(in_all_stores))[:, start:]
        return cls(
            start=start,
            purchases=units[:, start:] / size[:, None],
            purchase_size=size,
            expected_size=pairs["expected_size"].fillna(1.0).to_numpy(float),
            ignored_units=pairs["ignored_units"].fillna(0.0).to_numpy(float),
            chain=chain,
            kinds=product_kinds(
                pairs["category"].fillna("").to_numpy(str), pairs["price_cents"].fillna(0.0).to_numpy(float)
            ),
            first_day=pairs["first_day"].fillna(0).to_numpy(np.int64) - start,
            empty_now=pairs["empty_now"].notna().to_numpy(bool),
            discontinued_in=pairs["discontinued_in"].to_numpy(float),
        )

    def promotion_factors(self, promoted: np.ndarray, closed: np.ndarray) -> np.ndarray:
        """Purchases with the promotions of each day over those without, [N, D]; D days, of which T are past.

        Args: promoted: bool [N, D]; closed: bool [T], days on which the store is known to have been shut.
        """
        if not promoted.any():
            return np.ones(promoted.shape)
        days = self.purchases.shape[1]
        traded = ~closed & (self.purchases.sum(axis=0) > 0)
        known = traded[None, :] & (np.arange(days)[None, :] >= self.first_day[:, None])
        factor = uplift(self.purchases, known, promoted[:, :days], self.kinds)
        return np.where(promoted, factor[:, None], 1.0)

    def without_promotions(self, factors: np.ndarray) -> "StoreSales":
        """The same with promoted days as they would have been without promotion."""
        return replace(self, purchases=self.purchases / factors[:, : self.purchases.shape[1]])

    def history(self, weekdays: np.ndarray, closed: np.ndarray, *, finds_closed: bool) -> SalesHistory:
        """The history; `closed` [T] are days on which the store is known to have been shut."""
        return sales_history(
            self.purchases,
            weekdays,
            self.first_day,
            self.empty_now,
            closed=closed,
            finds_closed=finds_closed,
            kinds=self.kinds,
            chain=self.chain,
        )

    def on_sale(self, horizon_days: int) -> np.ndarray:
        """1 on days of the horizon on which a product is still sold, 0 from the day it is discontinued on, [N, H]."""
        gone = np.nan_to_num(self.discontinued_in, nan=np.inf)
        return (np.arange(horizon_days)[None, :] < gone[:, None]).astype(float)

    def trailing_week(self, history: SalesHistory) -> np.ndarray:
        """Purchases of seven days at the mean of the last days on which the store traded, [N]."""
        week: np.ndarray = 7.0 * mean_of_days(history.trading(), TRAILING_DAYS)
        return week


def _by_day(pairs: pd.DataFrame, value: str, days: int) -> np.ndarray:
    """Arrays of values and their days as [N, days]; 0 where there is none."""
    grid = np.zeros((len(pairs), days))
    for row, (values, on) in enumerate(zip(pairs[value], pairs[f"{value}_days"], strict=True)):
        if isinstance(values, (list, np.ndarray)):
            grid[row, np.asarray(on, dtype=np.int64)] = values
    return grid
