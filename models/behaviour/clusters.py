"""f_E and f_k of LENS Algorithm 1: a funnel as a vector, and which funnels are alike.

Embeddings read the history only, never the baskets that are scored, so that a change cannot move its funnel to a
cluster where it would be usual. `EMBEDDINGS` and `CLUSTERINGS` name the parts for the settings.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array

from models.behaviour.funnel_baskets import FunnelBaskets, Integers

Vectors: TypeAlias = csr_array | NDArray[np.float64]
Embedding = Callable[[FunnelBaskets], Vectors]
Clustering = Callable[[Vectors, int, int], Integers]

# Funnels per cluster below which a cluster's tail cannot be estimated.
MIN_FUNNELS_PER_CLUSTER = 50


def category_frequency(histories: FunnelBaskets) -> Vectors:
    """Share of the funnel's lines in each category, [F, K]."""
    return _row_shares(csr_array(histories.known @ histories.category_matrix))


def product_frequency(histories: FunnelBaskets) -> Vectors:
    """Share of the funnel's lines in each product, [F, P]."""
    return _row_shares(histories.known)


def rhythm(histories: FunnelBaskets) -> Vectors:
    """Logarithms of the funnel's mean days between baskets, lines and units per basket, each standardised, [F, 3]."""
    history = ~histories.recent
    count = np.maximum(histories.n_history, 1)
    lines = np.diff(histories.bought.indptr)
    units = np.asarray(histories.units.sum(axis=1)).ravel()
    gaps = np.nan_to_num(histories.gap_days)
    means = [
        np.bincount(histories.funnel, weights=values * history, minlength=len(count)) / count
        for values in (gaps, lines, units)
    ]
    logs = np.log1p(np.stack(means, axis=1))
    return (logs - logs.mean(axis=0)) / np.maximum(logs.std(axis=0), 1e-9)


def kmeans(vectors: Vectors, clusters: int, seed: int) -> Integers:
    """k-means with Euclidean distance, [F]."""
    from sklearn.cluster import KMeans  # seconds to import, and few runs cluster

    values: Integers = KMeans(clusters, n_init=1, random_state=seed).fit_predict(vectors).astype(np.int64)
    return values


def spherical_kmeans(vectors: Vectors, clusters: int, seed: int) -> Integers:
    """k-means on vectors of length one, so that its distance is the cosine's, [F]."""
    from sklearn.preprocessing import normalize

    return kmeans(normalize(vectors), clusters, seed)


def one_cluster(vectors: Vectors, clusters: int, seed: int) -> Integers:
    """All funnels alike, [F]."""
    return np.zeros(vectors.shape[0], dtype=np.int64)


EMBEDDINGS: dict[str, Embedding] = {
    "category_frequency": category_frequency,
    "product_frequency": product_frequency,
    "rhythm": rhythm,
}
CLUSTERINGS: dict[str, Clustering] = {
    "kmeans": kmeans,
    "spherical_kmeans": spherical_kmeans,
    "one_cluster": one_cluster,
}


def cluster_funnels(vectors: Vectors, clustering: Clustering, clusters: int, seed: int = 0) -> Integers:
    """Clusters from 0, [F]; fewer than requested where a cluster would hold too few funnels to compare."""
    possible = max(1, min(clusters, vectors.shape[0] // MIN_FUNNELS_PER_CLUSTER))
    return one_cluster(vectors, 1, seed) if possible == 1 else clustering(vectors, possible, seed)


def _row_shares(counts: csr_array) -> csr_array:
    totals = np.maximum(np.asarray(counts.sum(axis=1)).ravel(), 1e-12)
    shares = csr_array(diags_array(1.0 / totals) @ counts)
    # scikit-learn takes sparse rows with 32-bit indices only.
    shares.indices, shares.indptr = shares.indices.astype(np.int32), shares.indptr.astype(np.int32)
    return shares
