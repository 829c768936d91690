"""Reported customers against who then came."""

import numpy as np
import pytest

from models.behaviour.backtest import usual_gap, watch
from models.behaviour.detection import KINDS, BehaviourScores
from models.behaviour.funnel_baskets import FunnelBaskets


def histories(days: list[list[int]]) -> FunnelBaskets:
    funnel = np.repeat(np.arange(len(days)), [len(each) for each in days])
    day, ones = np.concatenate(days), np.ones(len(funnel))
    return FunnelBaskets.of_lines(
        funnel, day, np.zeros_like(funnel), ones, ones, category=np.zeros(1, np.int64), recent_from=100
    )


def scored(kinds: list[str], is_scored: list[bool] | None = None) -> BehaviourScores:
    n = len(kinds)
    kind, nothing = np.array([KINDS.index(each) for each in kinds]), np.zeros(n)
    return BehaviourScores(
        distance=nothing,
        cluster=np.zeros(n, np.int64),
        probability=np.ones((n, len(KINDS))),
        score=nothing,
        kind=kind,
        is_scored=np.array(is_scored or [True] * n),
        is_news=np.ones(n, dtype=bool),
    )


def test_the_usual_gap_is_the_lower_median() -> None:
    found = usual_gap(histories([[0, 2, 4, 14], [5], [1, 4], [0, 3, 10]]))
    assert found == pytest.approx([2, np.nan, 3, 3], nan_ok=True)


def test_who_came_within_the_usual_gap_did_not_stay_away() -> None:
    # Usual gaps 4, 4, 4, 4 and 9, of which 7 days have passed.
    baskets = histories([[0, 4, 8]] * 4 + [[0, 9, 18]])
    next_basket = np.array([3.0, 4.0, np.inf, 1.0, np.inf])
    found = watch(baskets, scored(["silence", "silence", "later", "content", "silence"]), next_basket, np.full(5, 7))
    assert found.reported.tolist() == [True, True, True, False, True]
    assert found.judged.tolist() == [True, True, True, True, False]
    assert found.stayed.tolist() == [False, True, True, False, False]


def test_nobody_is_judged_without_a_score_or_a_usual_gap() -> None:
    baskets = histories([[0, 4, 8], [3]])
    found = watch(baskets, scored(["silence"] * 2, [False, True]), np.full(2, np.inf), np.full(2, 28))
    assert not found.judged.any()
