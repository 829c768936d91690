"""Whose behaviour changed (LENS, Algorithm 1), with its parts by name.

What was predicted is compared with what happened (d_A); funnels are embedded (f_E) and clustered (f_k with its own
distance d_K); a funnel is as strange as it lies far out among its cluster (d_B). Beyond the paper: content, size and
timing are scored apart, because they change apart and a merchandiser acts differently on each; every one becomes a
tail probability, and their harmonic mean makes the score.

Before any model has predicted, the prediction of a basket is the funnel's own history: how often each product was
bought. Where a night's model did predict the basket beforehand, both are averaged.
"""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import scipy
from scipy.sparse import csr_array, diags_array

from models.behaviour.clusters import CLUSTERINGS, EMBEDDINGS, Clustering, Embedding, cluster_funnels
from models.behaviour.distances import DISTANCES, Distance
from models.behaviour.funnel_baskets import Array, Flags, FunnelBaskets, Integers
from models.behaviour.measures import Measure, content, quantity, size, timing
from models.behaviour.runs import latest_runs
from models.behaviour.tails import CLUSTER_DISTANCES, ClusterDistance, tail_by_level
from models.names import look_up
from models.severities import severity_of

# What is scored apart: other products; a larger basket; more units of each product; longer and shorter between baskets;
# no visit.
KINDS = ("content", "size", "quantity", "later", "sooner", "silence")
# What each kind counts in the score of all, chosen on injected changes in earlier baskets: units alone and more visits
# are strange more often than they are a change, and must be that much less probable.
_WEIGHTS = np.array([1.0, 1.0, 0.02, 1.0, 0.02, 1.0])
PARTS = {
    "content": ("content",),
    "size": ("size",),
    "quantity": ("quantity",),
    "timing": ("later", "sooner", "silence"),
}

# Scores from which a funnel is strange and very strange: one in a thousand, one in ten thousand.
_SCORE_STEPS = (3.0, 4.0)

Part = TypeVar("Part")


@dataclass(frozen=True)
class Algorithm:
    """The parts of Algorithm 1."""

    distance: Distance
    embedding: Embedding
    clustering: Clustering
    clusters: int
    cluster_distance: ClusterDistance

    @classmethod
    def named(cls, distance: str, embedding: str, clustering: str, clusters: int, cluster_distance: str) -> "Algorithm":
        """The algorithm made of the parts with these names.

        Raises: ValueError naming the setting and the known parts.
        """
        return cls(
            _part("distance", distance, DISTANCES),
            _part("embedding", embedding, EMBEDDINGS),
            _part("clustering", clustering, CLUSTERINGS),
            clusters,
            _part("cluster_distance", cluster_distance, CLUSTER_DISTANCES),
        )


@dataclass(frozen=True)
class BehaviourScores:
    """How unusual the latest baskets of each funnel are.

    Shapes: F funnels, K kinds of `KINDS`.
    distance:    float64 [F]; d_A of the latest basket.
    cluster:     int [F].
    probability: float64 [F, K]; upper-tail probability of each kind; 1 where it could not be scored.
    score:       float64 [F]; -log10 of the probability that any kind is as strange.
    kind:        int [F]; the strangest kind, an index in `KINDS`.
    is_scored:   bool [F]; there was something new to score: a recent basket, or a silence that is news.
    is_news:     bool [F]; the strangest kind was not as strange just before already, and is not over.
    """

    distance: Array
    cluster: Integers
    probability: Array
    score: Array
    kind: Integers
    is_scored: Flags
    is_news: Flags

    def kind_scores(self) -> dict[str, Array]:
        """-log10 of the probability of each kind, [F] each; 0 where nothing is strange."""
        return {kind: np.abs(np.log10(np.clip(self.probability[:, at], 1e-300, 1.0))) for at, kind in enumerate(KINDS)}

    def part_scores(self) -> dict[str, Array]:
        """Scores of content, size, quantity and timing, [F] each: their kinds joined as all are in the score."""
        of = {part: [KINDS.index(kind) for kind in kinds] for part, kinds in PARTS.items()}
        return {part: _joined(self.probability[:, kinds], _WEIGHTS[kinds]) for part, kinds in of.items()}


def score_behaviour(
    histories: FunnelBaskets,
    algorithm: Algorithm,
    today: int | None,
    recent_days: int,
    predicted: csr_array | None = None,
) -> BehaviourScores:
    """Score the recent baskets of every funnel, and its open gap, as of the day `today`.

    Args:
        today: as `histories.day` counts; None: open gaps are not scored.
        predicted: [B, P]; what a model predicted of a basket before it happened: probability of each product; rows
            without a prediction are empty.
    """
    cluster = cluster_funnels(algorithm.embedding(histories), algorithm.clustering, algorithm.clusters)
    distance = algorithm.distance(histories, _with_predictions(histories.expected, predicted))
    measures = (
        content(histories, distance),
        size(histories),
        quantity(histories),
        *timing(histories, today, recent_days),
    )
    by_measure = [_least_probable(measure, cluster, algorithm.cluster_distance) for measure in measures]
    probability, is_scored, is_news = (np.stack(each, axis=1) for each in zip(*by_measure, strict=True))
    kind = (probability / _WEIGHTS).argmin(axis=1)
    return BehaviourScores(
        distance=distance[histories.last],
        cluster=cluster,
        probability=probability,
        score=_joined(probability, _WEIGHTS),
        kind=kind,
        is_scored=np.asarray(is_scored.any(axis=1)),
        is_news=is_news[np.arange(len(kind)), kind],
    )


def _joined(probability: Array, weights: Array) -> Array:
    """-log10 of the weighted harmonic mean of the kinds' probabilities [F, K], [F]; 0 where nothing is strange.

    The harmonic mean of dependent p-values is nearly a p-value itself where it is small (Wilson, PNAS 2019).
    """
    values: Array = np.maximum(np.log10((1.0 / np.clip(probability, 1e-300, 1.0)) @ weights / weights.sum()), 0.0)
    return values


def severity(score: Array, monthly_value: Array) -> list[str]:
    """Severity of each funnel: 0 to 2 points for how strange it is, 1 for spending twice what the middle one spends."""
    points = (monthly_value >= 2.0 * np.median(monthly_value)).astype(int)
    for step in _SCORE_STEPS:
        points += score >= step
    return [severity_of(point) for point in points]


def _least_probable(measure: Measure, cluster: Integers, tail: ClusterDistance) -> tuple[Array, Flags, Flags]:
    """Tail probability of each funnel's strangest latest run within its cluster, whether there was one, and whether it
    is news, [F].

    Corrected for having looked at several runs.
    """
    scores = np.zeros(len(measure.value))
    of = cluster[measure.funnel]
    for label in np.unique(of):
        members, usual = of == label, (of == label) & measure.usable
        probability = tail_by_level(
            tail, measure.value[members], measure.level[members], measure.value[usual], measure.level[usual]
        )
        scores[members] = scipy.stats.norm.isf(np.clip(probability, 1e-300, 1 - 1e-9))
    best, number, is_news = np.ones(len(cluster)), np.zeros(len(cluster)), np.zeros(len(cluster), dtype=bool)
    runs = latest_runs(scores, measure.funnel, measure.recent, measure.usable, len(cluster))
    for length, one in enumerate(runs, start=1):
        has_run = np.isfinite(one.latest)
        number += has_run
        probability = np.ones(len(cluster))
        if length == 1:
            probability[has_run] = scipy.stats.norm.sf(one.latest[has_run])
        else:
            for label in np.unique(cluster[has_run]):
                members = has_run & (cluster == label)
                usual_runs = one.usual[cluster[one.usual_funnel] == label]
                probability[members] = tail(one.latest[members], usual_runs)
        is_news = np.where(probability < best, one.is_news & (length >= measure.least_news), is_news)
        best = np.minimum(best, probability)
    return np.minimum(best * np.maximum(number, 1), 1.0), number > 0, is_news


def _with_predictions(own: csr_array, predicted: csr_array | None) -> csr_array:
    """The average of the funnel's own shares and what was predicted, where something was."""
    if predicted is None:
        return own
    weight = 0.5 * (np.diff(predicted.indptr) > 0)
    return csr_array(diags_array(1.0 - weight) @ own + diags_array(weight) @ predicted)


def _part(setting: str, name: str, known: dict[str, Part]) -> Part:
    return look_up(f"anomalies.{setting}", name, known)
