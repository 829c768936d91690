"""Stable 64-bit keys of product and customer ids.

A model file holds the keys of what the model was trained on, not the ids: it is then enough to find a product's or
a customer's row in another night's vocabulary, and it holds no customer id in clear.
"""

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np


def keys_of(identifiers: Iterable[str]) -> np.ndarray:
    """int64 key of each identifier, never 0: the same on every machine and in every run."""
    digests = [int.from_bytes(blake2b(each.encode(), digest_size=8).digest(), "little") for each in identifiers]
    keys = np.array(digests, dtype=np.uint64).astype(np.int64)
    keys[keys == 0] = 1
    return keys


def rows_of(keys: np.ndarray, known: np.ndarray, missing: int) -> np.ndarray:
    """The row of each key in `known` (any order, each key once), or `missing`.

    Returns: int32, shaped like keys.
    """
    if len(known) == 0:
        return np.full(len(keys), missing, np.int32)
    order = np.argsort(known, kind="stable")
    found = np.minimum(np.searchsorted(known, keys, sorter=order), len(known) - 1)
    rows = order[found]
    return np.where(known[rows] == keys, rows, missing).astype(np.int32)


def matched_rows(own: np.ndarray, theirs: np.ndarray, own_keys: np.ndarray, their_keys: np.ndarray) -> np.ndarray:
    """Own rows, replaced by theirs of the same key; rows without a key (special indices) are matched by position.

    Shapes: own [n, ...] with own_keys int64 [n]; theirs [m, ...] with their_keys int64 [m]; returns [n, ...].
    """
    rows = rows_of(own_keys, their_keys, missing=-1)
    special = own_keys == 0
    rows[special] = np.flatnonzero(special) if special.any() else rows[special]
    return np.where((rows >= 0).reshape(-1, *[1] * (own.ndim - 1)), theirs[rows], own)
