"""Candidate features scaled for a network: numbers of about equal size, whatever the shop and its size."""

import numpy as np

from models.candidate_columns import COUNTS, FEATURES, OF_OTHERS, RATES, SHARES
from models.candidates.features import Candidates

_SMALL_SIGNAL, _SMALL_SHARE = 1e-4, 1e-5


def scaled_features(candidates: Candidates) -> np.ndarray:
    """Features of each candidate that do not depend on the customer's own purchases of it.

    Each signal of OF_OTHERS twice: log(1 + value / small), and its ratio to the customer's largest, because the size of
    a signal differs between customers. Shares are such logarithms, counts log(1 + count), rates unchanged.

    Shapes: B customers, C candidates each.
    Returns: float32 [B, C, columns SCALED_FEATURES].
    """
    columns = []
    for name in OF_OTHERS:
        signal = _column(candidates, name)
        largest = signal.max(axis=1, keepdims=True, initial=0.0)
        columns += [_log(signal, _SMALL_SIGNAL), signal / np.maximum(largest, 1e-9)]
    columns += [_log(_column(candidates, name), _SMALL_SHARE) for name in SHARES]
    columns += [_column(candidates, name) for name in RATES]
    columns += [np.log1p(_column(candidates, name)) for name in COUNTS]
    return np.stack(columns, axis=2).astype(np.float32)


def _column(candidates: Candidates, name: str) -> np.ndarray:
    values: np.ndarray = np.maximum(candidates.features[..., FEATURES.index(name)], 0.0)
    return values


def _log(values: np.ndarray, small: float) -> np.ndarray:
    """From 0 up, about one per decade and a half."""
    return np.log1p(values / small) / 4.0
