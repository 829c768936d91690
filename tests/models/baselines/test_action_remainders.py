"""Counts by context: the longest known context decides, an open case goes on, order of cases changes nothing."""

import numpy as np
import pytest

from models.actions.action_log import Prefixes, prefixes_of
from models.baselines.action_remainders import METHODS, ActionPredictor
from tests.models.actions.logs import log_of, rest

CASES = ([0, 1, 2], [0, 1, 2], [0, 1, 3], [4, 1, 3], [4, 1, 3, 3])


def fitted(name: str, *cases: list[int], weights: list[float] | None = None) -> ActionPredictor:
    method = METHODS[name]()
    method.fit(log_of(*cases), np.array(weights or [1.0] * len(cases)))
    return method


@pytest.mark.parametrize("name", METHODS)
def test_the_longest_known_context_decides(name: str) -> None:
    log = log_of([0, 1, 2], [4, 1, 3], [2, 1, 3])
    asked = Prefixes(np.array([0, 1, 2]), np.array([2, 2, 2]))
    predicted = fitted(name, *CASES).predict(log, asked)
    assert predicted[0] == rest(2)
    assert predicted[1][0] == rest(3)[0]
    assert predicted[2][0] in rest(2, 3), "an unknown context falls back to its known end"


@pytest.mark.parametrize("name", METHODS)
def test_an_open_case_has_one_more_action_even_where_cases_ended(name: str) -> None:
    ended = fitted(name, [0, 1], [0, 1], [0, 1, 2])
    (predicted,) = ended.predict(log_of([0, 1, 2]), Prefixes(np.array([0]), np.array([2])))
    assert predicted == rest(2)


@pytest.mark.parametrize("name", METHODS)
def test_probabilities_are_those_of_the_cases_and_order_changes_nothing(name: str) -> None:
    log = log_of(*CASES)
    moments = prefixes_of(log)
    ones, others = fitted(name, *CASES), fitted(name, *reversed(CASES))
    np.testing.assert_allclose(ones.next_probabilities(log, moments).sum(axis=1), 1.0)
    np.testing.assert_array_equal(ones.next_probabilities(log, moments), others.next_probabilities(log, moments))
    assert ones.predict(log, moments) == others.predict(log, moments)
    after_zero_one = ones.next_probabilities(log, Prefixes(np.array([0]), np.array([2])))[0]
    assert after_zero_one[list(rest(2, 3))].tolist() == pytest.approx([2 / 3, 1 / 3])


@pytest.mark.parametrize("name", METHODS)
def test_a_case_without_weight_teaches_nothing(name: str) -> None:
    weighted = fitted(name, [0, 1], [0, 2], [0, 2], weights=[1.0, 0.0, 0.0])
    assert weighted.predict(log_of([0, 1]), Prefixes(np.array([0]), np.array([1]))) == [rest(1)]


def test_cases_of_one_action_are_refused() -> None:
    with pytest.raises(ValueError, match="second action"):
        fitted("actions_medoid", [0], [1])
