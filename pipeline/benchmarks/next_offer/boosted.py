"""LightGBM for next offers: a ranker over candidates and a classifier of the bucket, independent of each other."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from models.boosting import Trees
from models.offer_fields import EVENT_FEATURE_VALUES, MAY_BE_OFFERED, OFFER_FEATURE_VALUES
from models.special_ids import FIRST_PRODUCT
from pipeline.benchmarks.next_offer.problems import VALIDATION_DAY, Problem
from pipeline.dataset.offer_examples import OfferCases, OfferPasts, buckets_of, days_from

_AT_ONCE = 1000
_PAST_EVENTS = 4


@dataclass(frozen=True)
class OfferTrees(Trees):
    """Trees of both, chosen on the validation cases; the ranker learns from the latest cases alone."""

    learning_rate: float = 0.05
    n_leaves: int = 15
    feature_share: float = 0.8
    n_ranking_trees: int = 100
    n_gap_trees: int = 60
    ranking_cases: int = 6_000


class BoostedOffers:
    """The peer; its joint probability is the product of the two."""

    def __init__(self, seed: int, config: OfferTrees | None = None) -> None:
        self._config = config or OfferTrees(seed=seed)

    def fit(self, problem: Problem, pasts: OfferPasts, end: int) -> None:
        """Train both on the cases before a day."""
        import lightgbm as lgb

        config = self._config
        self._pasts = pasts
        latest = problem.cases(0, end)
        latest = latest.take(np.argsort(problem.events.days[latest.rows], kind="stable")[-config.ranking_cases :])
        table, groups, hits = self._ranking_rows(latest)
        parameters = config.parameters("lambdarank", lambdarank_truncation_level=10)
        self._ranker = lgb.train(parameters, lgb.Dataset(table, hits, group=groups), config.n_ranking_trees)
        # As ours, from cases in which long gaps could end.
        cases = problem.cases(days_from(problem.events, problem.first_day + end) - problem.first_day, end)
        n_buckets = len(problem.edges) + 1
        self._gaps = lgb.train(
            config.parameters("multiclass", num_class=n_buckets),
            lgb.Dataset(self._customer_rows(cases.rows), buckets_of(cases.days, np.array(problem.edges))),
            config.n_gap_trees,
        )

    def predict(self, rows: np.ndarray) -> np.ndarray:
        """Softmax of the ranker's scores times the classifier's probabilities."""
        parts = []
        for part in np.array_split(rows, -(-len(rows) // _AT_ONCE)):
            batch = self._pasts.batch(part)
            allowed = batch[MAY_BE_OFFERED] > 0
            table = self._pair_rows(batch, allowed)
            scores = np.full(allowed.shape, -np.inf)
            scores[allowed] = self._ranker.predict(table)
            weights = np.exp(scores - scores.max(axis=1, keepdims=True))
            weights /= weights.sum(axis=1, keepdims=True)
            of_buckets = np.asarray(self._gaps.predict(self._customer_rows(part)))
            parts.append((weights[:, :, None] * of_buckets[:, None]).astype(np.float32))
        return np.concatenate(parts)

    def settings(self) -> dict[str, Any]:
        """The trees."""
        return asdict(self._config) | {"validated_on": f"days {VALIDATION_DAY} on"}

    def _ranking_rows(self, cases: OfferCases) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows of pairs, their numbers by case, and which pair was taken."""
        tables, groups, hits = [], [], []
        for first in range(0, len(cases), _AT_ONCE):
            part = cases.take(np.arange(first, min(first + _AT_ONCE, len(cases))))
            batch = self._pasts.batch(part.rows)
            allowed = batch[MAY_BE_OFFERED] > 0
            tables.append(self._pair_rows(batch, allowed))
            groups.append(allowed.sum(axis=1))
            hits.append((np.arange(allowed.shape[1])[None] == part.offers[:, None])[allowed])
        return np.concatenate(tables), np.concatenate(groups), np.concatenate(hits).astype(np.int32)

    def _pair_rows(self, batch: dict[str, np.ndarray], allowed: np.ndarray) -> np.ndarray:
        """Features of offers beside those of the latest event, and the offer's place by popularity in training."""
        n_events = (batch["event_offers"][:, :, 0] > 0).sum(axis=1)
        latest = batch[EVENT_FEATURE_VALUES][np.arange(len(allowed)), n_events - 1]
        case, offer = np.nonzero(allowed)
        offers = batch[OFFER_FEATURE_VALUES][case, offer]
        return np.column_stack([offers, latest[case][:, :5], offer - FIRST_PRODUCT])

    def _customer_rows(self, rows: np.ndarray) -> np.ndarray:
        """The latest gaps, their mean, how many events, and what the latest one was; float64 [n, F]."""
        events = self._pasts.events
        starts = events.offsets[events.customers[rows]]
        gaps, amounts = events.gaps.astype(float), np.log1p(np.maximum(events.amounts, 0.0))
        sizes = np.diff(events.set_offsets)
        columns = [rows - starts + 1.0, events.tops[rows], (events.days[rows] + 3) % 7, sizes[rows], amounts[rows]]
        for ago in range(_PAST_EVENTS):
            seen = rows - ago > starts
            columns.append(np.where(seen, gaps[np.maximum(rows - ago, 0)], np.nan))
        # No day of the data and no length of a history: both are larger in the test than ever in training.
        span = (events.days[rows] - events.days[starts]).astype(float)
        columns.append(span / np.maximum(rows - starts, 1))
        return np.column_stack(columns)
