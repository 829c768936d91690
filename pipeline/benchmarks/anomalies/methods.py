"""Detectors of behaviour changes, by name: Larder's, and what a user would pick instead.

Every detector scores the last basket of each funnel against its earlier ones; a larger score is stranger. Detectors
read days between baskets, but no date. Those of PyOD read the differences between the last basket and the mean of the
earlier ones.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from sklearn.cluster import KMeans

from models.behaviour.clusters import category_frequency
from models.behaviour.detection import Algorithm, score_behaviour
from models.behaviour.distances import category_cosine, jaccard
from models.behaviour.funnel_baskets import Array, FunnelBaskets
from models.names import look_up
from pipeline.settings import AnomalySettings

Detector = Callable[[FunnelBaskets, int], Array]
"""Baskets of F funnels and a seed to scores [F]."""

# Weight of all customers' shares in the likelihood ratio, and of all funnels' variance in the z-score.
_EVERYBODY = 0.5
_PRIOR_SCATTER = 5.0
_CLUSTERS = 8


def ours(part: str | None = None) -> Detector:
    """The nightly detector with its default settings: its score, or the score of one part or kind."""

    def scores(histories: FunnelBaskets, seed: int) -> Array:
        parts = AnomalySettings()
        algorithm = Algorithm.named(
            parts.distance, parts.embedding, parts.clustering, parts.clusters, parts.cluster_distance
        )
        found = score_behaviour(histories, algorithm, None, parts.recent_days)
        return found.score if part is None else (found.kind_scores() | found.part_scores())[part]

    return scores


def cosine(histories: FunnelBaskets, seed: int) -> Array:
    """1 - cosine between the categories of the basket and those of the history."""
    return category_cosine(histories, histories.expected)[histories.last]


def likelihood_ratio(histories: FunnelBaskets, seed: int) -> Array:
    """-log likelihood ratio of the products: the own history, mixed with all customers', to all customers' alone."""
    lines = histories.bought[histories.last].tocoo()
    own = histories.known
    share = np.asarray(own[lines.row, lines.col]).ravel() / np.asarray(own.sum(axis=1)).ravel()[lines.row]
    ratio = _EVERYBODY + (1.0 - _EVERYBODY) * share / histories.background[lines.col]
    return np.bincount(lines.row, weights=-np.log(ratio), minlength=histories.n_funnels).astype(np.float64)


def z_of_lines(histories: FunnelBaskets, seed: int) -> Array:
    """Products of the basket against the own history, far side, in shrunk standard deviations of logarithms."""
    return _own_z(histories, np.log1p(histories.lines))


def z_of_gap(histories: FunnelBaskets, seed: int) -> Array:
    """Days before the basket against the own history, late side, in shrunk standard deviations of logarithms."""
    return _own_z(histories, np.log1p(histories.gap_days))


def larger_z(histories: FunnelBaskets, seed: int) -> Array:
    """The larger of the z-scores of lines and of the gap."""
    return np.maximum(z_of_lines(histories, seed), z_of_gap(histories, seed))


def algorithm_1_literally(histories: FunnelBaskets, seed: int) -> Array:
    """LENS, Algorithm 1: the most frequent products predicted, Jaccard, two-sided z within a KMeans cluster."""
    last = histories.last
    size = np.maximum(np.rint(np.bincount(histories.funnel, histories.lines * ~histories.recent)), 1)
    size = np.maximum(np.rint(size / np.maximum(histories.n_history, 1)), 1).astype(np.int64)
    top = _most_frequent(histories.known, size)
    predicted = csr_array(top[histories.funnel])
    distance = jaccard(histories, predicted)[last]
    cluster = KMeans(_CLUSTERS, n_init=1, random_state=seed).fit_predict(category_frequency(histories))
    scores = np.zeros(len(distance))
    for label in np.unique(cluster):
        members = cluster == label
        spread = max(float(distance[members].std()), 1e-9)
        scores[members] = np.abs(distance[members] - distance[members].mean()) / spread
    return scores


def pyod(name: str) -> Detector:
    """A detector of PyOD over the difference features."""

    def scores(histories: FunnelBaskets, seed: int) -> Array:
        model, with_history = _pyod_model(name, seed)
        features = differences(histories, with_history=with_history)
        features = (features - features.mean(axis=0)) / np.maximum(features.std(axis=0), 1e-9)
        return np.asarray(model.fit(features).decision_scores_, dtype=np.float64)

    return scores


def differences(histories: FunnelBaskets, *, with_history: bool = False) -> Array:
    """Features [F, 6] or, with the history's recency, frequency and money, [F, 9].

    Products, units, money and days before the last basket less the mean of the earlier ones, the cosine distance to the
    history's categories, and the share of products never bought before.
    """
    last = histories.last
    measures = (histories.lines, histories.basket_units, histories.spend, histories.gap_days)
    means = [_own_mean(histories, values) for values in measures]
    changes = [values[last] - mean for values, mean in zip(measures, means, strict=True)]
    bought = histories.bought[last]
    known = histories.known.copy()
    known.data = np.ones_like(known.data)
    familiar = np.asarray(bought.multiply(known).sum(axis=1)).ravel()
    new = 1.0 - familiar / np.diff(bought.indptr)
    columns = [*changes, cosine(histories, 0), new]
    if with_history:
        columns += [np.log(histories.gap_days[last]), np.log(histories.n_history), np.log(means[2])]
    return np.stack(columns, axis=1)


PEERS: dict[str, Detector] = {
    "cosine": cosine,
    "likelihood-ratio": likelihood_ratio,
    "z-lines": z_of_lines,
    "z-gap": z_of_gap,
    "larger-z": larger_z,
    "ecod": pyod("ecod"),
    "iforest": pyod("iforest"),
    "lof": pyod("lof"),
    "copod": pyod("copod"),
    "algorithm-1": algorithm_1_literally,
}
OURS = "larder"
DETECTORS: dict[str, Detector] = {
    OURS: ours(),
    **{f"{OURS}-{part}": ours(part) for part in ("content", "size", "timing", "later")},
    **PEERS,
}


def detector(name: str) -> Detector:
    """The detector of that name.

    Raises: ValueError: for an unknown name, with the known ones.
    """
    return look_up("detector", name, DETECTORS)


def _pyod_model(name: str, seed: int) -> tuple[Any, bool]:
    """The model, and whether it does better with the history's own measures beside the differences."""
    if name == "ecod":
        from pyod.models.ecod import ECOD

        return ECOD(), False
    if name == "copod":
        from pyod.models.copod import COPOD

        return COPOD(), True
    if name == "lof":
        from pyod.models.lof import LOF

        return LOF(n_neighbors=20), True
    from pyod.models.iforest import IForest

    return IForest(n_estimators=200, random_state=seed), False


def _most_frequent(known: csr_array, size: np.ndarray) -> csr_array:
    """1 for the `size` products of each row that it holds most often; ties by product, [F, P]."""
    rows = np.repeat(np.arange(known.shape[0]), np.diff(known.indptr))
    order = np.lexsort((known.indices, -known.data, rows))
    position = np.arange(len(rows)) - known.indptr[rows]
    kept = order[position < size[rows]]
    return csr_array((np.ones(len(kept)), (rows[kept], known.indices[kept])), shape=known.shape)


def _own_mean(histories: FunnelBaskets, values: Array) -> Array:
    known = ~histories.recent & ~np.isnan(values)
    total = np.bincount(histories.funnel[known], values[known], histories.n_funnels)
    return np.asarray(total / np.maximum(np.bincount(histories.funnel[known], minlength=histories.n_funnels), 1))


def _own_z(histories: FunnelBaskets, values: Array) -> Array:
    mean = _own_mean(histories, values)
    known = ~histories.recent & ~np.isnan(values)
    funnel = histories.funnel[known]
    freedom = np.maximum(np.bincount(funnel, minlength=histories.n_funnels) - 1, 0)
    squares = np.bincount(funnel, (values[known] - mean[funnel]) ** 2, histories.n_funnels)
    pooled = squares.sum() / freedom.sum()
    spread = np.sqrt((squares + _PRIOR_SCATTER * pooled) / (freedom + _PRIOR_SCATTER))
    return (values[histories.last] - mean) / spread
