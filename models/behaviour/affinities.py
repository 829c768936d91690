"""How likely a basket's products are for a funnel, against how likely they are for everyone.

A product may come from the funnel's own products, from its own categories, from categories that go with its own, or
from what everyone buys. How much each source is worth, by how long the history is, is what makes the histories' own
lines most probable when each basket is left out of its funnel's history (expectation maximisation, as in deleted
interpolation of language models: Jelinek and Mercer, 1980). What a funnel's own lines add to everyone's is left out of
its own expectation as well.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.sparse import csr_array, diags_array

from models.behaviour.funnel_baskets import Array, Flags, FunnelBaskets, Integers

# Lines of a history from which the sources are weighed apart.
_LENGTHS = (0, 10, 20, 40, 80, np.inf)
_MIN_LINES = 100
_ROUNDS = 60
# Lines of weight given to "all categories go together as they sell".
_PRIOR_LINES = 50.0
# A category counts at most so often in a funnel, so that a heavy buyer does not make the affinities alone.
_MOST = 3.0
_LEAST_AFFINITY = 1e-2
# Rows multiplied at once; bounds the memory at this many times the categories.
_ROWS = 4000


def surprise(histories: FunnelBaskets, expected: csr_array) -> Array:
    """-log(own likelihood / everyone's) of each basket, [B], over the root of its products.

    Dividing by the root makes baskets of any size comparable: under no change the sum scatters as the root does.

    Args: expected: [B, P]; what was expected of each basket, as shares or probabilities of products.
    """
    lines = histories.bought.tocoo()
    basket, product = lines.row.astype(np.int64), lines.col.astype(np.int64)
    funnel, category = histories.funnel[basket], histories.category[product]
    held_in = ~histories.recent[basket]
    known, by_category = histories.known, csr_array(histories.known @ histories.category_matrix)
    in_category = csr_array(expected @ histories.category_matrix)
    whole = np.maximum(_row_sums(expected), 1e-12)[basket]
    own = _at(expected, basket, product) / whole
    own_category = _at(in_category, basket, category) / whole
    sources = np.stack(
        [
            own / _shares_of_others(known, funnel, product),
            own_category / _shares_of_others(by_category, funnel, category),
            _affinity(histories, by_category, basket, category),
            np.ones(len(basket)),
        ],
        axis=1,
    )
    length = _row_sums(known)[funnel] - held_in * np.diff(histories.bought.indptr)[basket]
    in_history = held_in & (histories.n_history[funnel] >= 4)
    ratio = (sources * _weights(sources, length, in_history)).sum(axis=1)
    count = histories.bought.shape[0]
    total = np.bincount(basket, weights=-np.log(np.maximum(ratio, 1e-9)), minlength=count)
    return np.asarray(total / np.sqrt(np.maximum(np.diff(histories.bought.indptr), 1)))


def _weights(sources: Array, length: Array, in_history: Flags) -> Array:
    """The weights of the sources that make the lines most probable, by length of the history, [L, S]."""
    count = sources.shape[1]
    weights = np.full(sources.shape, 1.0 / count)
    for shortest, longest in pairwise(_LENGTHS):
        rows = (length >= shortest) & (length < longest)
        known = sources[rows & in_history]
        if len(known) < _MIN_LINES:
            continue
        weight = np.full(count, 1.0 / count)
        for _ in range(_ROUNDS):
            share = known * weight
            weight = (share / share.sum(axis=1, keepdims=True)).mean(axis=0)
        weights[rows] = weight
    return weights


def _shares_of_others(counts: csr_array, funnel: Integers, column: Integers) -> Array:
    """Share of all other funnels' lines that are in the column, slightly smoothed, [L]."""
    whole = np.asarray(counts.sum(axis=0)).ravel()
    return (np.maximum(whole[column] - _at(counts, funnel, column), 0.0) + 0.5) / max(float(whole.sum()), 1.0)


@dataclass(frozen=True)
class _Lifts:
    """How much likelier a category is for who buys another one. K categories, F funnels.

    lift:   float32 [K', K]; of K for a buyer of K'; 0 for a category with itself.
    capped: [F, K] counts; own: [F, K']; each funnel's share in what made the lifts of K'; share: [K].
    """

    lift: np.ndarray
    capped: csr_array
    own: csr_array
    share: Array

    @classmethod
    def of(cls, by_category: csr_array) -> "_Lifts":
        capped = by_category.copy()
        capped.data = np.minimum(capped.data, _MOST)
        shares = csr_array(diags_array(1.0 / np.maximum(_row_sums(capped), 1e-12)) @ capped)
        together = (capped.T @ shares).toarray()
        np.fill_diagonal(together, 0.0)
        weight = together.sum(axis=0) + _PRIOR_LINES
        everyone = np.asarray(capped.sum(axis=0)).ravel() + 0.5
        everyone /= everyone.sum()
        lift = (together / everyone[:, None] + _PRIOR_LINES) / weight
        np.fill_diagonal(lift, 0.0)
        own = csr_array(shares @ diags_array(1.0 / weight))
        return cls(np.ascontiguousarray(lift.T, dtype=np.float32), capped, own, everyone)


def _affinity(histories: FunnelBaskets, by_category: csr_array, basket: Integers, category: Integers) -> Array:
    """Mean lift of each line's category by the funnel's other categories, all but the line's own basket, [L]."""
    lifts = _Lifts.of(by_category)
    funnel, held_in = histories.funnel[basket], ~histories.recent[basket]
    own_basket = csr_array(histories.bought @ histories.category_matrix)
    total = _product_at(by_category, lifts.lift, funnel, category)
    total -= held_in * _product_at(own_basket, lifts.lift, basket, category)
    same = _at(by_category, funnel, category)
    same_basket = held_in * _at(own_basket, basket, category)
    # What the funnel itself added to the lifts of its categories.
    rate = _at(lifts.own, funnel, category)
    added = _row_sums(by_category.multiply(lifts.own))[funnel] - same * rate
    of_basket = _row_sums(own_basket.multiply(csr_array(lifts.own[histories.funnel])))[basket]
    added -= held_in * of_basket - same_basket * rate
    total -= added * _at(lifts.capped, funnel, category) / lifts.share[category]
    lines = _row_sums(by_category)[funnel] - held_in * _row_sums(own_basket)[basket] - (same - same_basket)
    return np.where(lines > 0, np.maximum(total / np.maximum(lines, 1), _LEAST_AFFINITY), 1.0)


def _product_at(left: csr_array, right: np.ndarray, row: Integers, column: Integers) -> Array:
    """Entries of left @ right, block by block; `row` ascends."""
    found = np.empty(len(row))
    for start in range(0, left.shape[0], _ROWS):
        stop = min(start + _ROWS, left.shape[0])
        entries = slice(*np.searchsorted(row, [start, stop]))
        block: Any = left[start:stop].astype(np.float32) @ right
        found[entries] = block[row[entries] - start, column[entries]]
    return found


def _at(matrix: csr_array, rows: Integers, columns: Integers) -> Array:
    return np.asarray(matrix[rows, columns], dtype=np.float64).ravel()


def _row_sums(matrix: csr_array) -> Array:
    return np.asarray(matrix.sum(axis=1), dtype=np.float64).ravel()
