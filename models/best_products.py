"""The largest products of two sets of vectors, row by row, in blocks: memory does not grow with either set."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

ROWS_AT_ONCE, COLUMNS_AT_ONCE = 512, 8192


def best_products(
    of_rows: np.ndarray,
    of_columns: np.ndarray,
    k: int,
    added: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None,
    *,
    rows_at_once: int = ROWS_AT_ONCE,
    columns_at_once: int = COLUMNS_AT_ONCE,
) -> tuple[np.ndarray, np.ndarray]:
    """Columns of the k largest scores of each row and those scores, largest first; ties: the earlier column.

    A score is the product of two vectors, and what is `added` to some pairs; an added -inf leaves a pair out: its
    column is -1.

    Shapes: float32 [R, D], [S, D] -> int64 [R, k], float32 [R, k]; added: int64 [n] rows, int64 [n] columns, each pair
            once, float32 [n]. With fewer than k columns the rest is -1 with -inf.
    """
    pairs = _Added.of(added, len(of_rows))
    found, scores = np.full((len(of_rows), k), -1, np.int64), np.full((len(of_rows), k), -np.inf, np.float32)
    for first in range(0, len(of_rows), rows_at_once):
        rows = slice(first, min(first + rows_at_once, len(of_rows)))
        # A few columns first: what they leave as the k-th best lets little of the others through.
        starts = [0, *range(min(columns_at_once, 16 * k), len(of_columns), columns_at_once), len(of_columns)]
        for start, end in pairwise(starts):
            products = of_rows[rows] @ of_columns[start:end].T
            for row, column, value in pairs.within(rows, start, end):
                products[row, column] += value
            _keep_best(found[rows], scores[rows], products, start)
    return found, scores


def _keep_best(found: np.ndarray, scores: np.ndarray, products: np.ndarray, start: int) -> None:
    """Merge a block's products into the best so far, in place."""
    k = scores.shape[1]
    # Few products of a block beat a row's last one: the rest is looked at once.
    rows, columns = np.nonzero(products > scores[:, -1:])
    counts = np.bincount(rows, minlength=len(scores))
    begins = np.cumsum(counts) - counts
    for row in np.flatnonzero(counts):
        those = columns[begins[row] : begins[row] + counts[row]]
        every = np.concatenate([scores[row], products[row, those]])
        names = np.concatenate([found[row], those + start])
        # Stable: earlier columns stand first and win ties.
        best = np.argsort(-every, kind="stable")[:k]
        scores[row], found[row] = every[best], names[best]


class _Added:
    """Pairs in order of rows, then columns."""

    def __init__(self, rows: np.ndarray, columns: np.ndarray, values: np.ndarray, n_rows: int) -> None:
        order = np.lexsort((columns, rows))
        self._rows, self._columns, self._values = rows[order], columns[order], values[order]
        self._starts = np.searchsorted(self._rows, np.arange(n_rows + 1))

    @classmethod
    def of(cls, added: tuple[np.ndarray, np.ndarray, np.ndarray] | None, n_rows: int) -> "_Added":
        nothing = np.zeros(0, np.int64)
        rows, columns, values = added or (nothing, nothing, np.zeros(0, np.float32))
        return cls(rows, columns, values, n_rows)

    def within(self, rows: slice, start: int, end: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Positions in a block and values of its pairs; nothing where there are none."""
        part = slice(self._starts[rows.start], self._starts[rows.stop])
        columns = self._columns[part]
        inside = (columns >= start) & (columns < end)
        if inside.any():
            yield self._rows[part][inside] - rows.start, columns[inside] - start, self._values[part][inside]
