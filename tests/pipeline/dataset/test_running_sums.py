"""Sums before a moment are those of the events before it, whatever keys are asked for."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.dataset.running_sums import RunningSums

EVENTS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 30), st.integers(-3, 9)), max_size=30)
QUESTIONS = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 40)), min_size=1, max_size=20)


@given(EVENTS, QUESTIONS, st.none() | st.integers(0, 20))
def test_a_sum_is_that_of_the_keys_events_before_the_time(
    events: list[tuple[int, int, int]], questions: list[tuple[int, int]], within: int | None
) -> None:
    keys, times, values = np.array(events, np.int64).reshape(-1, 3).T
    sums = RunningSums(keys, times, value=values)
    asked, when = np.array(questions, np.int64).T
    found, latest = sums.before("value", asked, when, within), sums.since_latest(asked, when)
    for row, (key, time) in enumerate(questions):
        before = [(at, value) for of, at, value in events if of == key and at < time]
        first = 0 if within is None else time - within
        assert found[row] == sum(value for at, value in before if at >= first)
        assert latest[row] == min((time - at for at, _ in before), default=np.inf)
