"""A store that is shut up to today changes nobody's behaviour, however long it is shut."""

import numpy as np
import pytest

from models.behaviour.detection import Algorithm, BehaviourScores, score_behaviour
from models.behaviour.funnel_baskets import FunnelBaskets
from models.behaviour.tails import upper_tail
from models.demand.sales_history import closed_days
from pipeline.settings import AnomalySettings

SETTINGS = AnomalySettings()
TODAY, CUSTOMERS, PRODUCTS, FIRST_DAY_BACK = 20_000, 150, 40, 140


def visits(shut: int, least_gap: int) -> np.ndarray:
    """Customer and day of every visit: each customer comes every so many days, give or take one; int [n, 2]."""
    random = np.random.default_rng(shut)
    found = []
    for customer in range(CUSTOMERS):
        every = least_gap + customer % 5
        day = TODAY - FIRST_DAY_BACK - int(random.integers(0, every))
        while day < TODAY - shut:
            found.append((customer, day))
            day += max(1, every + int(random.integers(-1, 2)))
    return np.array(found)


def judged(shut: int, least_gap: int) -> tuple[BehaviourScores, int]:
    """Scores of one store's customers, and how many days it was found shut."""
    seen = visits(shut, least_gap)
    random = np.random.default_rng(shut + 1)
    days = np.arange(seen[:, 1].min(), TODAY)
    counts = np.bincount(seen[:, 1] - days[0], minlength=len(days)).astype(float)
    closed = days[closed_days(counts, (days + 3) % 7)]
    lines = np.repeat(seen, 3, axis=0)
    product = np.concatenate([random.choice(PRODUCTS, 3, replace=False) for _ in seen])
    histories = FunnelBaskets.of_lines(
        lines[:, 0],
        lines[:, 1],
        product,
        np.ones(len(lines)),
        np.full(len(lines), 100.0),
        category=np.zeros(PRODUCTS, np.int64),
        recent_from=TODAY - SETTINGS.recent_days,
        shut_since=len(closed) - np.searchsorted(closed, lines[:, 1], side="right"),
    )
    named = (SETTINGS.distance, SETTINGS.embedding, SETTINGS.clustering, SETTINGS.clusters, SETTINGS.cluster_distance)
    return score_behaviour(histories, Algorithm.named(*named), TODAY, SETTINGS.recent_days), len(closed)


@pytest.mark.parametrize("shut", [0, *range(3, 22, 3)])
def test_regular_customers_of_a_store_that_is_shut_are_not_strange(shut: int) -> None:
    scores, closed = judged(shut, least_gap=2 + shut % 2)
    assert closed == shut
    assert len(scores.score) == CUSTOMERS
    # One in a thousand reaches a score of 3 by chance, one in ten thousand one of 4.
    assert (scores.score >= 3.0).sum() <= 3
    assert scores.score.max() < 5.0


@pytest.mark.parametrize("step", [0.1, 1.0, 7.0])
def test_a_tail_of_whole_numbers_is_not_thinner_than_a_normal_one(step: float) -> None:
    random = np.random.default_rng(0)
    usual = step * np.append(random.integers(-1, 2, 2000) + random.normal(0, 0.01, 2000), np.full(40, 1.0))
    at, farther = upper_tail(step * np.array([1.02, 1.5]), usual)
    assert at > farther > 1e-3
