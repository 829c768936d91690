"""Whose behaviour changed (LENS, Algorithm 1), with its parts by name.

What was predicted is compared with what happened (d_A); funnels are embedded (f_E) and clustered (f_k with its own
distance d_K); a funnel is as strange as it lies far out among its cluster (d_B). Beyond the paper: content, size and
timing are judged apart, because they go wrong apart and a merchandiser acts differently on each; every one becomes a
tail probability, and the least probable makes the score.

Before any model has predicted, the prediction of a basket is the funnel's own history: how often each product was
bought. Where a night's model did predict the basket beforehand, both are averaged.
"""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from scipy.sparse import csr_array, diags_array

from models.detectors.clusters import CLUSTERINGS, EMBEDDINGS, Clustering, Embedding, cluster_funnels
from models.detectors.distances import DISTANCES, Distance
from models.detectors.histories import Array, Flags, Histories, Integers
from models.detectors.runs import Runs, compare_runs
from models.detectors.severities import SEVERITIES
from models.detectors.tails import CLUSTER_DISTANCES, ClusterDistance

# What is judged apart: other products; more of them; more units of each; longer and shorter between baskets; no visit.
KINDS = ("content", "lines", "units", "later", "sooner", "silence")

# A gap is news when it has grown to this many usual gaps.
_NEWS_GAPS = 3.0
# Square roots of a regular shopper's gaps scatter evenly to both sides; logarithms hide a long one behind short ones.
_GAP_POWER = 0.5

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
class Verdicts:
    """What was found of each funnel.

    Shapes: F funnels, K kinds of `KINDS`.
    distance:    float64 [F]; d_A of the latest basket.
    cluster:     int [F].
    probability: float64 [F, K]; upper-tail probability of each kind; 1 where it could not be judged.
    score:       float64 [F]; -log10 of the probability that any kind is as strange.
    kind:        int [F]; the strangest kind, an index in `KINDS`.
    is_judged:   bool [F]; there was something new to judge: a recent basket, or a silence that is news.
    """

    distance: Array
    cluster: Integers
    probability: Array
    score: Array
    kind: Integers
    is_judged: Flags


def judge_behaviour(
    histories: Histories,
    algorithm: Algorithm,
    today: int,
    recent_days: int,
    predicted: csr_array | None = None,
) -> Verdicts:
    """Judge the recent baskets of every funnel, and its silence, as of the day `today`.

    Args:
        predicted: [B, P]; what a model predicted of a basket before it happened: probability of each product; rows
            without a prediction are empty.
    """
    cluster = cluster_funnels(algorithm.embedding(histories), algorithm.clustering, algorithm.clusters)
    distance = algorithm.distance(histories, _with_predictions(histories.expected, predicted))
    series = _series_runs(histories, distance, today, recent_days)
    probability = np.stack([_least_probable(runs, cluster, algorithm.cluster_distance) for runs in series], axis=1)
    is_judged = np.any([np.isfinite(run.latest) for runs in series for run in runs], axis=0)
    least = np.clip(probability.min(axis=1), 1e-300, 1.0)
    # The chance that the least of K independent probabilities is as small, in a form that is exact for tiny ones.
    score = np.maximum(-np.log10(-np.expm1(len(KINDS) * np.log1p(-np.minimum(least, 1 - 1e-12)))), 0.0)
    return Verdicts(distance[histories.last], cluster, probability, score, probability.argmin(axis=1), is_judged)


def severity(score: Array, monthly_value: Array) -> list[str]:
    """Severity of each funnel: 0 to 2 points for how strange it is, 1 for spending twice what the middle one spends."""
    points = (monthly_value >= 2.0 * np.median(monthly_value)).astype(int)
    for step in _SCORE_STEPS:
        points += score >= step
    return [SEVERITIES[point] for point in points]


def _series_runs(histories: Histories, distance: Array, today: int, recent_days: int) -> list[list[Runs]]:
    """The runs of each kind, in the order of `KINDS`."""
    funnel, recent, count = histories.funnel, histories.recent, histories.n_funnels
    lines = np.maximum(np.diff(histories.bought.indptr), 1).astype(np.float64)
    units = np.maximum(histories.basket_units, 1e-6)
    gaps = _Gaps.of(histories, today, recent_days)
    return [
        compare_runs(distance, funnel, recent, count, weights=lines),
        compare_runs(np.log(lines), funnel, recent, count),
        compare_runs(np.log(units / lines), funnel, recent, count),
        gaps.later(),
        compare_runs(-np.log(gaps.days), gaps.funnel, gaps.recent, count),
        [gaps.silence()],
    ]


@dataclass(frozen=True)
class _Gaps:
    """Days between baskets, [G], and each funnel's open gap up to today.

    A long gap is told once: when it has grown to a few usual gaps. If that was before the recent days, it is news
    neither as a silence that goes on nor as a return.
    """

    days: Array
    funnel: Integers
    recent: Flags
    was_news: Flags
    open_days: Array
    open_is_news: Flags

    @classmethod
    def of(cls, histories: Histories, today: int, recent_days: int) -> "_Gaps":
        closed = ~np.isnan(histories.gap_days)
        days, funnel = histories.gap_days[closed], histories.funnel[closed]
        number = np.bincount(funnel, minlength=histories.n_funnels)
        usual = np.exp(np.bincount(funnel, weights=np.log(days), minlength=histories.n_funnels) / np.maximum(number, 1))
        # In days before today; the day on which a gap is a few usual gaps long, rounded up, is the day it is news.
        last_day = histories.day[histories.last]
        news_after = np.ceil(_NEWS_GAPS * usual)
        begun = today - (histories.day[closed] - days)
        return cls(
            days=days,
            funnel=funnel,
            recent=histories.recent[closed],
            was_news=begun - news_after[funnel] > recent_days,
            open_days=np.maximum(today - last_day, 1).astype(np.float64),
            open_is_news=today - last_day - news_after <= recent_days,
        )

    def later(self) -> list[Runs]:
        """Gaps that grew, the last ones above those before."""
        kept = ~(self.recent & self.was_news)
        count = len(self.open_days)
        return compare_runs(self.days[kept] ** _GAP_POWER, self.funnel[kept], self.recent[kept], count)

    def silence(self) -> Runs:
        """The open gap among the closed ones, as if a basket came today."""
        count = len(self.open_days)
        ends = np.searchsorted(self.funnel, np.arange(count), side="right")
        days = np.insert(self.days, ends, self.open_days)
        runs = compare_runs(
            days**_GAP_POWER,
            np.insert(self.funnel, ends, np.arange(count)),
            np.insert(self.recent, ends, True),
            count,
        )[0]
        return Runs(runs.usual, runs.usual_funnel, np.where(self.open_is_news, runs.latest, -np.inf))


def _least_probable(runs: list[Runs], cluster: Integers, tail: ClusterDistance) -> Array:
    """Tail probability of each funnel's strangest run within its cluster, corrected for having looked at several."""
    best = np.ones(len(cluster))
    judged = np.zeros(len(cluster))
    for one in runs:
        has_run = np.isfinite(one.latest)
        judged += has_run
        for label in np.unique(cluster[has_run]):
            members = has_run & (cluster == label)
            usual = one.usual[cluster[one.usual_funnel] == label]
            best[members] = np.minimum(best[members], tail(one.latest[members], usual))
    return np.minimum(best * np.maximum(judged, 1), 1.0)


def _with_predictions(own: csr_array, predicted: csr_array | None) -> csr_array:
    """The average of the funnel's own shares and what was predicted, where something was."""
    if predicted is None:
        return own
    weight = 0.5 * (np.diff(predicted.indptr) > 0)
    return csr_array(diags_array(1.0 - weight) @ own + diags_array(weight) @ predicted)


def _part(setting: str, name: str, known: dict[str, Part]) -> Part:
    if name not in known:
        raise ValueError(f"setting anomalies.{setting} is {name!r}; known: {', '.join(known)}")
    return known[name]
