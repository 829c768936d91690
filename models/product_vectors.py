"""Product vectors from transactions alone, on which a model's product embedding may start."""

import numpy as np
from scipy import sparse

from models.basket_sequences import BasketSequences

_SMOOTHING = 0.75


def co_occurrence_vectors(sequences: BasketSequences, units: int, seed: int = 0) -> np.ndarray:
    """Products that stand together in baskets, or in one customer's baskets one after another, get similar vectors.

    Positive pointwise mutual information of those two kinds of pairs, factorised: the explicit form of what a
    skip-gram embedding of products learns by sampling.

    Args:    units: U.
    Returns: float32 [V, U] of standard deviation 1 over the products that have a vector; 0 for those without company.
    Source:  Levy, Goldberg, "Neural Word Embedding as Implicit Matrix Factorization", NeurIPS 2014; contexts smoothed
             as in Levy, Goldberg, Dagan, TACL 2015.
    """
    from sklearn.utils.extmath import randomized_svd  # seconds to import, and only training and segments want it

    pairs = _pairs(sequences)
    associations = _mutual_information(pairs)
    rank = min(units, max(associations.shape[0] - 1, 1))
    left, strengths, _ = randomized_svd(associations, n_components=rank, random_state=seed)
    vectors = np.zeros((associations.shape[0], units), np.float32)
    vectors[:, :rank] = left * np.sqrt(strengths)
    # The factors of an empty row are zero only up to rounding.
    in_company = pairs.sum(axis=1) > 0
    vectors[~in_company] = 0.0
    deviation = vectors[in_company].std() if in_company.any() else 1.0
    return vectors / np.float32(deviation)


def _pairs(sequences: BasketSequences) -> sparse.csr_array:
    """How often two products stood in one basket or in neighbouring baskets of a customer; symmetric, diagonal 0."""
    baskets = sequences.basket_matrix()
    before = np.flatnonzero(sequences.age_of_basket > 0)
    across = baskets[before].T @ baskets[before + 1]
    pairs = sparse.csr_array(baskets.T @ baskets + across + across.T)
    pairs.setdiag(0.0)
    pairs.eliminate_zeros()
    return pairs


def _mutual_information(pairs: sparse.csr_array) -> sparse.csr_array:
    """max(0, log P(one, other) / (P(one) P(other))), rare others smoothed; [V, V]."""
    counts = pairs.sum(axis=1)
    contexts = counts**_SMOOTHING
    pairs = pairs.tocoo()
    row, column = pairs.coords
    values = np.log(pairs.data * contexts.sum() / (counts[row] * contexts[column]))
    kept = values > 0
    return sparse.csr_array((values[kept], (row[kept], column[kept])), shape=pairs.shape)
