"""Random accepted sales lines in the layout of the `transactions` table, for timing only.

Drawn day by day with NumPy, so that ten million lines take seconds and a few hundred MB. Customers and products are
chosen by power laws; a basket may hold a product on two lines; a fiftieth of the lines are returns of the day before's
purchases. Nothing here resembles a shop's rhythm: the simulator does that.
"""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

FIRST_DAY = date(2026, 1, 1)
DAYS = 120
BUSINESS_DATE = FIRST_DAY + timedelta(days=DAYS)
STORES = 20
PRODUCTS = 20_000
LINES_PER_BASKET = 10
LINES_PER_CUSTOMER = 100
RETURNED_SHARE = 0.02
DUPLICATED_SHARE = 0.02
OPENING_SECOND, CLOSING_SECOND = 8 * 3600, 21 * 3600


def write_lines(folder: Path, lines: int, seed: int = 0) -> int:
    """Write about `lines` lines under `folder`, one file per `sold_on` partition; returns how many."""
    random = np.random.default_rng(seed)
    customers = max(lines // LINES_PER_CUSTOMER, 1)
    product_weights = 1.0 / (np.arange(PRODUCTS) + 20.0)
    cumulated = np.cumsum(product_weights / product_weights.sum())
    bought: dict[str, np.ndarray] | None = None
    written = 0
    for number in range(DAYS):
        day = FIRST_DAY + timedelta(days=number)
        baskets = max(lines // (DAYS * LINES_PER_BASKET), 1)
        today = _purchases(random, baskets, customers, cumulated)
        rows = today if bought is None else _join(today, _returns(random, today, bought))
        bought = today
        written += _write_day(folder, day, rows)
    return written


def _purchases(
    random: np.random.Generator, baskets: int, customers: int, cumulated: np.ndarray
) -> dict[str, np.ndarray]:
    """Lines of `baskets` baskets; some lines repeat the product of the line before."""
    sizes = random.geometric(1.0 / LINES_PER_BASKET, baskets)
    of_basket = np.repeat(np.arange(baskets), sizes)
    customer = (customers * random.random(baskets) ** 1.5).astype(np.int64)
    second = random.integers(OPENING_SECOND, CLOSING_SECOND, baskets)
    product = np.minimum(np.searchsorted(cumulated, random.random(of_basket.size)), PRODUCTS - 1)
    repeats = np.flatnonzero((random.random(of_basket.size) < DUPLICATED_SHARE) & (np.arange(of_basket.size) > 0))
    product[repeats] = product[repeats - 1]
    quantity = random.integers(1, 5, of_basket.size).astype(np.float64)
    weighed = product % 10 == 0
    quantity[weighed] = random.integers(50, 3000, weighed.sum()) / 1000.0
    price_cents = 50 + (product * 7919) % 3000
    return {
        "basket": of_basket,
        "customer": customer[of_basket],
        "store": (customer % STORES)[of_basket],
        "second": second[of_basket],
        "product": product,
        "quantity": quantity,
        "amount_cents": np.rint(price_cents * quantity).astype(np.int64),
        "is_return": np.zeros(of_basket.size, bool),
    }


def _returns(
    random: np.random.Generator, today: dict[str, np.ndarray], bought: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Return lines for purchases of the day before, in baskets of their own, sometimes in part or in excess."""
    chosen = random.choice(bought["product"].size, int(bought["product"].size * RETURNED_SHARE), replace=False)
    back = {name: values[chosen].copy() for name, values in bought.items()}
    share = random.choice([0.5, 1.0, 1.0, 2.0], chosen.size)
    back["quantity"] = back["quantity"] * share
    back["amount_cents"] = np.rint(back["amount_cents"] * share).astype(np.int64)
    back["second"] = random.integers(OPENING_SECOND, CLOSING_SECOND, chosen.size)
    back["basket"] = today["basket"].max() + 1 + np.arange(chosen.size)
    back["is_return"] = np.ones(chosen.size, bool)
    return back


def _join(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([first[name], second[name]]) for name in first}


def _write_day(folder: Path, day: date, rows: dict[str, np.ndarray]) -> int:
    count = rows["product"].size
    midnight = int(datetime.combine(day, time(), tzinfo=UTC).timestamp())
    category = rows["product"] % 97
    table = pa.table(
        {
            "source_file": pa.repeat(f"sales_{day}.csv", count),
            "source_line": pa.array(np.arange(2, count + 2)),
            "sold_at_utc": pa.array((midnight + rows["second"]) * 1_000_000).cast(pa.timestamp("us", "UTC")),
            "store_id": _names("s", rows["store"]),
            "customer_id": _names("c", rows["customer"]),
            "basket_id": _names("b", rows["basket"]),
            "product_id": _names("p", rows["product"]),
            "category": _names("g", category),
            "quantity": pa.array(rows["quantity"]),
            "amount_cents": pa.array(rows["amount_cents"]),
            "is_return": pa.array(rows["is_return"]),
        }
    )
    partition = folder / f"sold_on={day}"
    partition.mkdir(parents=True)
    pq.write_table(table, partition / "part-0.parquet", compression="snappy")
    return count


def _names(prefix: str, numbers: np.ndarray) -> pa.Array:
    return pa.array(np.char.add(prefix, numbers.astype(np.str_)))
