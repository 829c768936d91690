"""Rows of different lengths as flat arrays: row i holds the values from `offsets[i]` to `offsets[i + 1]`."""

from collections.abc import Sequence

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


def joined_rows(parts: Sequence[np.ndarray]) -> np.ndarray:
    """The rows of all parts, at least one, their second dimension padded with zeros to the widest; [n, width, ...]."""
    width = max(part.shape[1] for part in parts)
    wider = [np.pad(part, [(0, 0), (0, width - part.shape[1])] + [(0, 0)] * (part.ndim - 2)) for part in parts]
    return np.concatenate(wider)
