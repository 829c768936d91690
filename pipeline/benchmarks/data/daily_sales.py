"""Ta-Feng as daily units: what a back-test of demand forecasts reads.

Lines of more than 100 units (20 of 817,741) are wholesale and left out. One store, no stock levels: a shelf that was
empty shows only as silence.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.demand.sales_history import SalesHistory, sales_history
from pipeline.benchmarks.data.tafeng_lines import SALES_COLUMNS, read_text

LARGEST_QUANTITY = 100.0
HORIZON_DAYS = 7
# Days before the cutoff whose units say which products count as top.
TOP_DAYS = 91
TOP_PRODUCTS = 2000


@dataclass(frozen=True)
class DailySales:
    """Shapes: N products in order of names, T days from `first_day`, L lines in no order.

    units: float64 [N, T].
    spend: float64 [N, T]; money paid.
    buyers: float64 [N, T]; customers who bought it.
    categories: int64 [N].
    line_customers, line_products, line_days: int64 [L]; line_units: float64 [L].
    """

    product_names: NDArray[np.object_]
    first_day: date
    units: NDArray[np.float64]
    spend: NDArray[np.float64]
    buyers: NDArray[np.float64]
    categories: NDArray[np.int64]
    line_customers: NDArray[np.int64]
    line_products: NDArray[np.int64]
    line_days: NDArray[np.int64]
    line_units: NDArray[np.float64]

    def day(self, on: date) -> int:
        """Number of a day. Raises ValueError where the window from it is not in the data, or no fortnight before."""
        number = (on - self.first_day).days
        if not 14 <= number <= self.units.shape[1] - HORIZON_DAYS:
            last = self.first_day + timedelta(days=self.units.shape[1] - HORIZON_DAYS)
            raise ValueError(
                f"window {on}: a first test day from {self.first_day + timedelta(days=14)} to {last} is wanted"
            )
        return number

    def weekdays(self, start: int, stop: int) -> NDArray[np.int64]:
        """Weekdays of days `start` to before `stop`, 0 Monday."""
        return (self.first_day.weekday() + np.arange(start, stop)) % 7

    def history(self, cutoff: int, products: NDArray[np.int64]) -> SalesHistory:
        """What was known of these products at the opening of day `cutoff`: nothing sold on it or later is read."""
        units = self.units[products, :cutoff]
        sold = units > 0
        first = np.where(sold.any(axis=1), sold.argmax(axis=1), cutoff)
        return sales_history(units, self.weekdays(0, cutoff), first, np.zeros(len(products), dtype=bool))

    def top(self, cutoff: int) -> NDArray[np.int64]:
        """The products with most units in the days before `cutoff`, most first; ties in order of names."""
        trailing = self.units[:, max(cutoff - TOP_DAYS, 0) : cutoff].sum(axis=1)
        return np.argsort(-trailing, kind="stable")[:TOP_PRODUCTS]


def read_tafeng(file: Path) -> DailySales:
    """Ta-Feng's fetched file. Raises FileNotFoundError where it has not been fetched."""
    return daily_sales(read_text(file, SALES_COLUMNS))


def daily_sales(lines: pd.DataFrame) -> DailySales:
    """Daily units of lines as delivered, all columns text."""
    lines = lines.assign(quantity=lines["quantity"].astype(float), amount=lines["amount"].astype(float))
    lines = lines[lines["quantity"] <= LARGEST_QUANTITY]
    written, days = pd.factorize(lines["sold_on"])
    sold_on = pd.to_datetime(days, format="%m/%d/%Y")
    first = sold_on.min()
    day = (sold_on - first).days.to_numpy(np.int64)[written]
    product, names = pd.factorize(lines["product"], sort=True)
    customer, customers = pd.factorize(lines["customer"], sort=True)
    category = pd.factorize(lines["category"], sort=True)[0]
    shape = len(names), int(day.max()) + 1
    cell = product * shape[1] + day
    categories = np.zeros(len(names), np.int64)
    categories[product] = category
    visits = pd.unique(cell * len(customers) + customer) // len(customers)
    return DailySales(
        names.to_numpy(object),
        first.date(),
        _per_cell(cell, shape, lines["quantity"].to_numpy()),
        _per_cell(cell, shape, lines["amount"].to_numpy()),
        _per_cell(visits, shape, np.ones(len(visits))),
        categories,
        customer,
        product,
        day,
        lines["quantity"].to_numpy(),
    )


def _per_cell(cell: NDArray[np.int64], shape: tuple[int, int], values: NDArray[np.float64]) -> NDArray[np.float64]:
    sums = np.bincount(cell, weights=values, minlength=shape[0] * shape[1])
    return sums.astype(np.float64).reshape(shape)
