"""Rows of different lengths as flat arrays: row i holds the values from `offsets[i]` to `offsets[i + 1]`."""

import numpy as np


def offsets_of(lengths: np.ndarray) -> np.ndarray:
    """Where each row begins, and where the last one ends; int64 [n + 1]."""
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def ranges(starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """start, start + 1, ... start + length - 1 of every range, one after another."""
    before = np.cumsum(lengths) - lengths
    values: np.ndarray = np.arange(lengths.sum()) + np.repeat(starts - before, lengths)
    return values


def positions_within(lengths: np.ndarray) -> np.ndarray:
    """0, 1, ... length - 1 of every row, one after another."""
    return ranges(np.zeros(len(lengths), np.int64), lengths)
