"""Supply plans that alerts are scored against: read from a file, or made from the sales before the window.

A file has a row per plan, window and product: opening stock, deliveries by day (`deliver_d1`, ...), and the day,
counted from 1, on which real cumulative sales exceed supply (0: never). Plans that are made follow these recipes:

    plan  opening, days of mean sales   deliveries, against mean sales   under-supplied
    A     1.5                           1.2, of the under-supplied 0.6   30 % of products
    B     1.5                           1.1                              none
    C     4                             1.15                             none

Mean sales are those of the 42 days before the window. Opening stock and the rate of deliveries scatter by product
(log-normal, 0.4 and 0.3), deliveries come from the second day on and are Poisson by day. No sale of the window is read.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.benchmarks.data.daily_sales import HORIZON_DAYS, DailySales

TRAILING_DAYS = 42
_DELIVERIES = [f"deliver_d{day}" for day in range(1, HORIZON_DAYS + 1)]
# Plan: days of opening stock, deliveries against mean sales, share of products that get half of that.
RECIPES = {"A": (1.5, 1.2, 0.3), "B": (1.5, 1.1, 0.0), "C": (4.0, 1.15, 0.0)}


@dataclass(frozen=True)
class PlannedSupply:
    """The supply of one plan in one window.

    products: int64 [N], of the data set; supply: float64 [N, H], opening stock and deliveries through each day.
    """

    name: str
    products: NDArray[np.int64]
    supply: NDArray[np.float64]

    def short_on(self, sales: DailySales, cutoff: int) -> NDArray[np.bool_]:
        """Days on which real cumulative sales exceed the supply; bool [N, H]."""
        sold = np.cumsum(sales.units[self.products, cutoff : cutoff + HORIZON_DAYS], axis=1)
        short: NDArray[np.bool_] = sold > self.supply
        return short


def read_plans(file: Path, sales: DailySales) -> dict[date, list[PlannedSupply]]:
    """Read the plans of a file, by window.

    Raises: FileNotFoundError; ValueError: where a column is missing, a product is unknown, or a stock-out day is not
        the one that the sales and the plan's own supply give.
    """
    if not file.is_file():
        raise FileNotFoundError(f"{file} is missing; leave --plans out to make plans")
    rows = pd.read_csv(file, dtype={"product_id": str, "plan": str})
    wanted = {"plan", "first_test_day", "product_id", "opening", "stockout_day", *_DELIVERIES}
    if missing := sorted(wanted - set(rows.columns)):
        raise ValueError(f"{file.name} lacks the columns {', '.join(missing)}")
    products = np.searchsorted(sales.product_names.astype(str), rows["product_id"].to_numpy(str))
    known = np.minimum(products, len(sales.product_names) - 1)
    unknown = sales.product_names[known] != rows["product_id"].to_numpy(object)
    if unknown.any():
        line = int(unknown.argmax())
        raise ValueError(f"{file.name}, row {line + 2}: product {rows['product_id'].iloc[line]!r} was never sold")
    found: dict[date, list[PlannedSupply]] = {}
    for (day, name), part in rows.groupby(["first_test_day", "plan"], sort=True):
        window = date.fromisoformat(str(day))
        at = part.index.to_numpy()
        plan = _plan(str(name), products[at], part["opening"].to_numpy(float), part[_DELIVERIES].to_numpy(float))
        short = plan.short_on(sales, sales.day(window))
        given = np.where(short.any(axis=1), short.argmax(axis=1) + 1, 0)
        if (given != part["stockout_day"].to_numpy()).any():
            line = int(at[(given != part["stockout_day"].to_numpy()).argmax()])
            raise ValueError(f"{file.name}, row {line + 2}: these sales and this supply give another stockout_day")
        found.setdefault(window, []).append(plan)
    return found


def make_plans(sales: DailySales, window: date, seed: int = 0) -> list[PlannedSupply]:
    """Make plans A, B and C for the top products of a window; equal for an equal seed and window."""
    cutoff = sales.day(window)
    products = sales.top(cutoff)
    mean = sales.units[products, max(cutoff - TRAILING_DAYS, 0) : cutoff].mean(axis=1)
    made = []
    for number, (name, (cover, rate, under)) in enumerate(RECIPES.items()):
        rng = np.random.default_rng((seed, window.toordinal(), number))
        opening = np.rint(mean * cover * rng.lognormal(0.0, 0.4, len(mean)))
        share = np.where(rng.random(len(mean)) < under, 0.5, 1.0)
        daily = mean * rate * share * rng.lognormal(0.0, 0.3, len(mean))
        deliveries = rng.poisson(daily[:, None], (len(mean), HORIZON_DAYS)).astype(float)
        deliveries[:, 0] = 0.0
        made.append(_plan(name, products, opening, deliveries))
    return made


def _plan(
    name: str, products: NDArray[np.int64], opening: NDArray[np.float64], deliveries: NDArray[np.float64]
) -> PlannedSupply:
    return PlannedSupply(name, products.astype(np.int64), opening[:, None] + np.cumsum(deliveries, axis=1))
