"""A log's moments are every place in a case with something done and something to come."""

import numpy as np

from models.actions.action_log import prefixes_of, remainders
from tests.models.actions.logs import log_of, rest


def test_each_moment_has_its_rest_and_together_they_are_the_case() -> None:
    log = log_of([0, 1, 2], [3], [4, 0])
    moments = prefixes_of(log)
    assert list(zip(moments.rows, moments.ends, strict=True)) == [(0, 1), (0, 2), (2, 1)]
    for row, end, after in zip(moments.rows, moments.ends, remainders(log, moments), strict=True):
        assert (*log.case(row)[:end].tolist(), *after) == tuple(log.case(row).tolist())


def test_the_shortest_past_that_is_asked_for() -> None:
    assert prefixes_of(log_of([0, 1, 2], [3, 4]), shortest=2).ends.tolist() == [2]


def test_selected_cases_keep_all_that_is_known_of_them() -> None:
    log = log_of([0, 1], [2, 3, 4], [1], attributes=[7, 8, 9], numbers=[1.0, 2.0, 3.0], won=[1.0, 0.0, np.nan])
    chosen = log.select(np.array([2, 1]))
    assert chosen.case(1).tolist() == list(rest(2, 3, 4))
    assert chosen.attributes[:, 0].tolist() == [9, 8]
    assert chosen.numbers[:, 0].tolist() == [3.0, 2.0]
    assert chosen.first_seconds.tolist() == log.first_seconds[[2, 1]].tolist()
    np.testing.assert_array_equal(chosen.won, [np.nan, 0.0])
