"""Ta-Feng, or what a source ingested, as daily units: what a back-test of demand forecasts reads.

Lines of Ta-Feng of more than 100 units (20 of 817,741) are wholesale and left out; a source's lines all count. No stock
levels are read: a shelf that was empty shows only as silence.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.demand.purchases import expected_size, largest_line, purchase_size, quantity_limit
from models.demand.sales_history import SalesHistory, sales_history
from pipeline.benchmarks.data.tafeng_lines import SALES_COLUMNS, read_text
from pipeline.lake.export import scan
from pipeline.lake.lake import Lake
from pipeline.tables.transactions import TRANSACTIONS

LARGEST_QUANTITY = 100.0
HORIZON_DAYS = 7
# Days before the cutoff whose units say which products count as top.
TOP_DAYS = 91
TOP_PRODUCTS = 2000
# What a window needs before it.
MIN_PAST_DAYS = 14


@dataclass(frozen=True)
class DailySales:
    """Shapes: N products in order of names, T days from `first_day`, L lines in no order.

    units: float64 [N, T].
    spend: float64 [N, T]; money paid.
    buyers: float64 [N, T]; customers who bought it.
    categories: int64 [N].
    line_customers, line_products, line_days: int64 [L]; line_units: float64 [L].
    stores: int64 [N]; a product in another store is another row.
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
    stores: NDArray[np.int64]

    def day(self, on: date) -> int:
        """Number of a day. Raises ValueError where the window from it is not in the data, or no fortnight before."""
        number = (on - self.first_day).days
        if not MIN_PAST_DAYS <= number <= self.units.shape[1] - HORIZON_DAYS:
            first = self.first_day + timedelta(days=MIN_PAST_DAYS)
            last = self.first_day + timedelta(days=self.units.shape[1] - HORIZON_DAYS)
            raise ValueError(f"window {on}: a first test day from {first} to {last} is wanted")
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

    def in_purchases(self, cutoff: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What is learned from before day `cutoff`, [N, cutoff] in purchases, and units the next one is to hold, [N].

        A line unlike any other of its product counts as one purchase, as in the nightly job.
        """
        known = self.line_days < cutoff
        rows, days, units = self.line_products[known], self.line_days[known], self.line_units[known]
        lines = np.bincount(rows, minlength=len(self.units))
        by_size = np.lexsort((units, rows))
        ends = np.cumsum(lines)
        median, large = (_quantile(units[by_size], ends, lines, share) for share in (0.5, 0.95))
        usual = np.full(len(lines), np.median(median[lines > 0]) if (lines > 0).any() else 1.0)
        limit = quantity_limit(median, large, lines, usual)
        size = purchase_size(median, lines, usual, limit)
        counted = np.minimum(units, largest_line(size, lines)[rows])
        learned = np.where(units > limit[rows], size[rows], counted) / size[rows]
        return _per_cell(rows * cutoff + days, (len(lines), cutoff), learned), expected_size(size, lines, usual)

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
        np.zeros(len(names), np.int64),
    )


def read_source(lake: Lake) -> DailySales:
    """The accepted sales of a source, from its lake; a row is a product in a store.

    Raises: LakeError: where the source has not been ingested.
    """
    version = lake.resolve(TRANSACTIONS.name)
    columns = ["sold_on", "store_id", "customer_id", "product_id", "category", "quantity", "amount_cents", "is_return"]
    lines = scan(lake, TRANSACTIONS.name, version).to_table().select(columns).to_pandas()
    lines = lines[~lines["is_return"] & (lines["quantity"] > 0)]
    sold_on = pd.to_datetime(lines["sold_on"])
    first = sold_on.min()
    day = (sold_on - first).dt.days.to_numpy(np.int64)
    row, pairs = pd.factorize(lines["store_id"] + "/" + lines["product_id"], sort=True)
    customer, customers = pd.factorize(lines["customer_id"], sort=True)
    shape = len(pairs), int(day.max()) + 1
    cell = row * shape[1] + day
    categories, stores = np.zeros((2, shape[0]), np.int64)
    categories[row] = pd.factorize(lines["category"], sort=True)[0]
    stores[row] = pd.factorize(lines["store_id"], sort=True)[0]
    visits = pd.unique(cell * len(customers) + customer) // len(customers)
    units, spend = lines["quantity"].to_numpy(float), lines["amount_cents"].to_numpy(float)
    return DailySales(
        pairs.to_numpy(object),
        first.date(),
        _per_cell(cell, shape, units),
        _per_cell(cell, shape, spend),
        _per_cell(visits, shape, np.ones(len(visits))),
        categories,
        customer,
        row,
        day,
        units,
        stores,
    )


def last_windows(sales: DailySales) -> list[date]:
    """First days of the last whole weeks, four where there are as many with a fortnight and a week before them.

    Raises: ValueError: for fewer than three.
    """
    days = sales.units.shape[1]
    starts = [days - HORIZON_DAYS * back for back in range(4, 0, -1)]
    found = [sales.first_day + timedelta(days=start) for start in starts if start >= MIN_PAST_DAYS + HORIZON_DAYS]
    if len(found) < 3:
        raise ValueError(f"{days} days of sales hold {len(found)} windows of a week; three are wanted, so 42 days")
    return found


def _quantile(ordered: NDArray[np.float64], ends: NDArray[np.int64], lines: NDArray[np.int64], share: float) -> Any:
    """Quantile of each product's lines, which lie in order of units before its end; 0 without lines, [N]."""
    if not len(ordered):
        return np.zeros(len(ends))
    place = share * np.maximum(lines - 1, 0)
    low = np.clip(ends - lines + np.floor(place).astype(np.int64), 0, len(ordered) - 1)
    high = np.minimum(low + 1, np.maximum(ends - 1, 0))
    part = place - np.floor(place)
    return np.where(lines > 0, ordered[low] * (1.0 - part) + ordered[high] * part, 0.0)


def _per_cell(cell: NDArray[np.int64], shape: tuple[int, int], values: NDArray[np.float64]) -> NDArray[np.float64]:
    sums = np.bincount(cell, weights=values, minlength=shape[0] * shape[1])
    return sums.astype(np.float64).reshape(shape)
