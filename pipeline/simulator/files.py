"""The simulated shop's sales files, as a retailer's tills would deliver them: one file per day.

Columns `sold_at,store_id,customer_id,basket_id,product_id,category,quantity,amount`; local time, amounts in currency
with two decimals, returns negative with a basket id of their own.
"""

import gzip
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import compute
from pyarrow import csv as arrow_csv

from pipeline.simulator.categories import CATEGORIES

SALES_COLUMNS = ("sold_at", "store_id", "customer_id", "basket_id", "product_id", "category", "quantity", "amount")
OPTIONS = arrow_csv.WriteOptions(include_header=False, quoting_style="none")
CATEGORY_NAMES = pa.array([category.name for category in CATEGORIES])


def store_id(store: int) -> str:
    """The id of a store."""
    return f"S{store + 1:03d}"


def customer_id(number: int) -> str:
    """The id of a customer."""
    return f"C{number:07d}"


def write_sales(
    folder: Path,
    day: date,
    *,
    second: np.ndarray,
    store: np.ndarray,
    customer: np.ndarray,
    basket: np.ndarray,
    product: np.ndarray,
    category: np.ndarray,
    units: np.ndarray,
    cents: np.ndarray,
) -> None:
    """Write one day's lines, already in the order of the day; the same lines give the same bytes."""
    midnight = np.datetime64(day, "s")
    text = as_csv(
        [
            pa.array(midnight + second.astype("timedelta64[s]")),
            store_ids(store),
            _numbered("C", customer, 7),
            pa.array(basket + int(f"{day:%Y%m%d}") * 10_000_000),
            product_ids(product),
            CATEGORY_NAMES.take(pa.array(category)),
            pa.array(units),
            _currency(cents),
        ]
    )
    header = ",".join(SALES_COLUMNS).encode() + b"\n"
    (folder / f"sales_{day}.csv.gz").write_bytes(gzip.compress(header + text, compresslevel=2, mtime=0))


def as_csv(columns: list[pa.Array]) -> bytes:
    """Rows as CSV text without a header; no value may hold a comma."""
    target = pa.BufferOutputStream()
    names = [str(number) for number in range(len(columns))]
    arrow_csv.write_csv(pa.table(columns, names=names), target, OPTIONS)
    return target.getvalue().to_pybytes()


def store_ids(stores: np.ndarray) -> pa.Array:
    """The ids of many stores."""
    return pa.array([store_id(number) for number in range(int(stores.max(initial=0)) + 1)]).take(pa.array(stores))


def product_ids(products: np.ndarray) -> pa.Array:
    """The ids of many products."""
    return _numbered("P", products, 5)


def _numbered(letter: str, numbers: np.ndarray, width: int) -> pa.Array:
    """Ids such as C0000012."""
    text = pa.array(numbers).cast(pa.string())
    padded = compute.utf8_lpad(text, width, "0")
    return compute.binary_join_element_wise(letter, padded, "")


def _currency(cents: np.ndarray) -> pa.Array:
    """Cents as decimals with two places."""
    wide = np.empty((len(cents), 2), np.int64)
    wide[:, 0], wide[:, 1] = cents, cents >> 63
    return pa.Array.from_buffers(pa.decimal128(18, 2), len(cents), [None, pa.py_buffer(wide)])
