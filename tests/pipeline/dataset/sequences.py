"""Sequences and a vocabulary as Parquet, made by a random number generator, for tests of the data set."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.factories import BUSINESS_DATE, sequence, vocabulary_entry

SCHEMA = pa.schema(
    [
        ("funnel_kind", pa.string()),
        ("funnel_id", pa.string()),
        ("store_id", pa.string()),
        ("n_baskets", pa.int32()),
        ("last_sold_on", pa.date32()),
        ("sold_on", pa.list_(pa.date32())),
        *[(name, pa.list_(pa.int32())) for name in ("gap_days", "day_of_week", "day_of_month", "month")],
        ("products", pa.list_(pa.list_(pa.int32()))),
        ("quantities", pa.list_(pa.list_(pa.float32()))),
        ("amounts_cents", pa.list_(pa.list_(pa.int64()))),
        ("attributes", pa.list_(pa.string())),
        ("vocabulary_hash", pa.string()),
    ]
)
N_KNOWN = 20


def random_sequences(customers: int, seed: int = 0, days: int = 60) -> list[dict[str, Any]]:
    """Customers with two to eight baskets of one to six products on distinct days before the business date."""
    random = np.random.default_rng(seed)
    rows = []
    for number in range(customers):
        ages = np.sort(random.choice(np.arange(1, days), size=random.integers(2, 9), replace=False))[::-1]
        sold_on = [BUSINESS_DATE - timedelta(days=int(age)) for age in ages]
        products = [
            sorted(random.choice(np.arange(1, N_KNOWN + 3), size=random.integers(1, 7), replace=False)) for _ in sold_on
        ]
        products = [[int(product) for product in basket if product != 2] or [3] for basket in products]
        rows.append(sequence(funnel_id=f"c{number}", sold_on=sold_on, products=products))
    return rows


def write_sequences(folder: Path, rows: list[dict[str, Any]], row_group_size: int = 1000) -> tuple[Path, Path]:
    """Folders `sequences` and `vocabulary` with those rows."""
    for name in ("sequences", "vocabulary"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    pq.write_table(table, folder / "sequences" / "part-0.parquet", row_group_size=row_group_size)
    entries = [vocabulary_entry(product_index=3 + place, product_id=f"p{place}") for place in range(N_KNOWN)]
    pq.write_table(pa.Table.from_pylist(entries), folder / "vocabulary" / "part-0.parquet")
    return folder / "sequences", folder / "vocabulary"


def first_held_out(holdout_days: int) -> date:
    """The first day that training must not see."""
    return BUSINESS_DATE - timedelta(days=holdout_days)
