"""Quintiles with ties, and the names of segments."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.customer_value.kinds import SEGMENTS
from models.customer_value.scores import Cuts, scored, segment_names

Values = st.lists(st.integers(0, 30), min_size=1, max_size=60)


@given(Values)
def test_equal_values_have_equal_scores_and_larger_ones_no_smaller(values: list[int]) -> None:
    column = np.array(values, float)
    scores = scored(column, Cuts.of(column, column, column).frequency)
    assert scores.min() >= 1
    assert scores.max() <= 5
    order = np.argsort(column, kind="stable")
    assert (np.diff(scores[order]) >= 0).all()
    for value in set(values):
        assert len(set(scores[column == value])) == 1


@given(Values, st.randoms())
def test_the_order_of_customers_changes_nothing(values: list[int], random: object) -> None:
    column = np.array(values, float)
    shuffled = np.array(sorted(values), float)
    for one, other in zip(Cuts.of(column, column, column).recency, Cuts.of(*[shuffled] * 3).recency, strict=True):
        assert one == other


def test_five_fifths_of_different_values_have_five_scores_and_recency_counts_the_other_way() -> None:
    column = np.arange(100.0)
    cuts = Cuts.of(column, column, column)
    assert np.bincount(scored(column, cuts.frequency)).tolist() == [0, 20, 20, 20, 20, 20]
    assert scored(np.array([0.0, 99.0]), cuts.recency, smaller_is_better=True).tolist() == [5, 1]


def test_ties_share_the_score_of_the_lowest_place_among_them() -> None:
    bought_once = np.array([1.0] * 70 + [2.0] * 20 + [9.0] * 10)
    scores = scored(bought_once, Cuts.of(*[bought_once] * 3).frequency)
    assert scores.tolist() == [1] * 70 + [4] * 20 + [5] * 10


@pytest.mark.parametrize(
    ("recency", "frequency", "name"),
    [(5, 5, "champions"), (5, 1, "new"), (1, 5, "cannot lose"), (1, 1, "hibernating"), (3, 3, "need attention")],
)
def test_segments_are_named_by_both_scores(recency: int, frequency: int, name: str) -> None:
    assert segment_names(np.array([recency]), np.array([frequency])).tolist() == [name]


def test_every_pair_of_scores_has_a_name_and_every_name_a_pair() -> None:
    pairs = np.array([(recency, frequency) for recency in range(1, 6) for frequency in range(1, 6)])
    assert set(segment_names(*pairs.T)) == set(SEGMENTS)
