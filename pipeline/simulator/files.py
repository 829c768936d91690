"""The simulated shop's sales files, as a retailer's tills would deliver them: one file per day.

Columns `sold_at,store_id,customer_id,basket_id,product_id,category,quantity,amount`; local time, amounts in currency
with two decimals, returns negative with a basket id of their own.
"""

import gzip
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

from pipeline.simulator.catalogue import CATEGORIES

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
    table = pa.table(
        [
            pa.array(midnight + second.astype("timedelta64[s]")),
            pa.array([store_id(number) for number in range(int(store.max(initial=0)) + 1)]).take(pa.array(store)),
            _numbered("C", customer, 7),
            pa.array(basket + int(f"{day:%Y%m%d}") * 10_000_000),
            _numbered("P", product, 5),
            CATEGORY_NAMES.take(pa.array(category)),
            pa.array(units),
            _currency(cents),
        ],
        names=list(SALES_COLUMNS),
    )
    target = pa.BufferOutputStream()
    arrow_csv.write_csv(table, target, OPTIONS)
    text = ",".join(SALES_COLUMNS).encode() + b"\n" + target.getvalue().to_pybytes()
    (folder / f"sales_{day}.csv.gz").write_bytes(gzip.compress(text, compresslevel=3, mtime=0))


def _numbered(letter: str, numbers: np.ndarray, width: int) -> pa.Array:
    """Ids such as C0000012."""
    text = pa.array(numbers).cast(pa.string())
    padded = pa.compute.utf8_lpad(text, width, "0")
    return pa.compute.binary_join_element_wise(letter, padded, "")


def _currency(cents: np.ndarray) -> pa.Array:
    """Cents as decimals with two places."""
    wide = np.empty((len(cents), 2), np.int64)
    wide[:, 0], wide[:, 1] = cents, cents >> 63
    return pa.Array.from_buffers(pa.decimal128(18, 2), len(cents), [None, pa.py_buffer(wide)])
