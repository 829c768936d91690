"""Similarity of customers and of products as sparse matrix products: features from other customers' purchases.

Shapes: B customers to predict for, N customers in the snapshot, V products. `excluded` int [B] is the row of each
customer in the snapshot, which must not count as a neighbour of itself, or -1.
"""

import numpy as np
from scipy import sparse

from models.basket_sequences import BasketSequences
from models.ragged import positions_within

_PRIOR_BASKETS = 5.0


def purchases(sequences: BasketSequences) -> sparse.csr_array:
    """1 for every product a customer ever bought; float32 [n, V]."""
    bought = sequences.matrix()
    bought.data[:] = 1.0
    return bought


def recent_popularity(sequences: BasketSequences, recency: int) -> sparse.csr_array:
    """Share of each customer's latest `recency` baskets that hold a product; float32 [n, V]."""
    recent = sequences.age_of_basket < recency
    counted = np.minimum(sequences.n_baskets, recency)
    popularity = sequences.matrix(recent / np.repeat(counted, sequences.n_baskets))
    popularity.eliminate_zeros()
    return popularity


def nearest(
    own: sparse.csr_array, others: sparse.csr_array, k: int, excluded: np.ndarray | None = None
) -> sparse.csr_array:
    """1 / k at the k rows of `others` at the smallest Euclidean distance from each row; float32 [B, N]."""
    # The square of the own length is the same for all, so it decides nothing.
    squared = others.multiply(others).sum(axis=1)[None] - 2.0 * (own @ others.T).toarray()
    _set(squared, excluded, np.inf)
    k = min(k, squared.shape[1])
    columns = np.argpartition(squared, k - 1, axis=1)[:, :k]
    weights = np.full(columns.size, 1.0 / k, np.float32)
    return sparse.csr_array((weights, columns.ravel(), np.arange(0, columns.size + 1, k)), shape=squared.shape)


def asymmetric_cosine(
    own: sparse.csr_array, others: sparse.csr_array, exponent: float, excluded: np.ndarray | None = None
) -> np.ndarray:
    """Products in common over the own number to the power of `exponent`, theirs to the rest; float32 [B, N].

    Args: own, others: 1 for products bought, see `purchases`.
    """
    mine, theirs = np.maximum(own.sum(axis=1), 1.0), np.maximum(others.sum(axis=1), 1.0)
    similarity: np.ndarray = (own @ others.T).toarray()
    similarity *= (mine**-exponent)[:, None]
    similarity *= (theirs ** (exponent - 1.0))[None]
    _set(similarity, excluded, 0.0)
    return similarity


def product_similarity(bought: sparse.csr_array, n_kept: int) -> sparse.csr_array:
    """Cosine of products over the customers who bought them, the `n_kept` largest of each product; float32 [V, V].

    A product is not similar to itself. Few customers in common are uncertain: the norms are raised by `_PRIOR_BASKETS`.
    """
    counts = bought.sum(axis=0)
    norm = 1.0 / np.sqrt(counts + _PRIOR_BASKETS)
    return _by_rows((bought.T.tocsr(), bought), norm, norm, n_kept, with_itself=False)


def transitions(sequences: BasketSequences, n_kept: int) -> sparse.csr_array:
    """P(a product is in the next basket | another is in this one), the largest `n_kept` of each; float32 [V, V]."""
    baskets = sequences.basket_matrix()
    before = np.flatnonzero(sequences.age_of_basket > 0)
    this, following = baskets[before], baskets[before + 1]
    share = 1.0 / (this.sum(axis=0) + _PRIOR_BASKETS)
    return _by_rows((this.T.tocsr(), following), share, np.ones(sequences.n_products), n_kept, with_itself=True)


def _by_rows(
    factors: tuple[sparse.csr_array, sparse.csr_array],
    row_scale: np.ndarray,
    column_scale: np.ndarray,
    n_kept: int,
    *,
    with_itself: bool,
    at_once: int = 1024,
) -> sparse.csr_array:
    """The scaled product of two matrices, of each row the largest entries; by blocks of rows, to bound others."""
    left, right = factors
    blocks = []
    for start in range(0, left.shape[0], at_once):
        block = sparse.coo_array(left[start : start + at_once] @ right)
        row, column = block.coords
        values = block.data * row_scale[row + start] * column_scale[column]
        if not with_itself:
            values = np.where(row + start == column, 0.0, values)
        order = np.lexsort((column, -values, row))
        lengths = np.bincount(row, minlength=block.shape[0])
        position = positions_within(lengths)
        kept = order[(position < n_kept) & (values[order] > 0)]
        blocks.append(sparse.csr_array((values[kept].astype(np.float32), (row[kept], column[kept])), shape=block.shape))
    return sparse.vstack(blocks, format="csr")


def _set(array: np.ndarray, excluded: np.ndarray | None, value: float) -> None:
    if excluded is not None:
        rows = np.flatnonzero(excluded >= 0)
        array[rows, excluded[rows]] = value
