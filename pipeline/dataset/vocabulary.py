"""A vocabulary table as arrays by product index."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from models.keys import keys_of
from pipeline.tables.vocabulary import FIRST_PRODUCT_INDEX, UNKNOWN_INDEX


def product_names(vocabulary: Path) -> np.ndarray:
    """Product id of each index of a vocabulary, empty for the special ones; object [V]."""
    table = pq.read_table(vocabulary, columns=["product_index", "product_id"])
    indices = table["product_index"].to_numpy()
    names = np.full(int(indices.max(initial=UNKNOWN_INDEX)) + 1, "", object)
    names[indices] = table["product_id"].to_pylist()
    return names


def read_product_keys(vocabulary: Path) -> np.ndarray:
    """Key of each product index of a vocabulary table; int64 [V]."""
    table = pq.read_table(vocabulary, columns=["product_index", "product_id"])
    indices = table["product_index"].to_numpy()
    keys = np.zeros(int(indices.max(initial=FIRST_PRODUCT_INDEX - 1)) + 1, np.int64)
    keys[indices] = keys_of(table["product_id"].to_pylist())
    return keys
