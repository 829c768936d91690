"""Returns are matched to the newest purchases that are left; no unit is matched twice or before it was bought."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.returns.matching import MatchedReturns, match_newest_first

EVENTS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 9), st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=25
)


def matched(events: list[tuple[int, int, int, int]]) -> MatchedReturns:
    pairs, times, bought, returned = (np.array(column) for column in zip(*events, strict=True))
    return match_newest_first(pairs, times, bought, returned)


def test_a_return_takes_the_newest_purchase_first_then_the_one_before() -> None:
    events = [(0, 1, 2, 0), (0, 5, 1, 0), (0, 6, 0, 2), (0, 7, 0, 5), (1, 6, 9, 0)]
    found = matched(events)
    assert list(zip(found.purchases, found.returns, found.units, strict=True)) == [(1, 2, 1), (0, 2, 1), (0, 3, 1)]


def test_what_was_not_bought_before_matches_nothing_and_one_event_may_do_both() -> None:
    assert len(matched([(0, 3, 0, 2), (0, 4, 5, 0)]).units) == 0
    found = matched([(0, 3, 2, 1)])
    assert (found.purchases.tolist(), found.returns.tolist(), found.units.tolist()) == ([0], [0], [1])


@given(EVENTS)
def test_units_are_kept(events: list[tuple[int, int, int, int]]) -> None:
    pairs, times, bought, returned = (np.array(column) for column in zip(*events, strict=True))
    found = match_newest_first(pairs, times, bought, returned)
    assert (np.bincount(found.purchases, found.units, len(events)) <= bought).all()
    assert (np.bincount(found.returns, found.units, len(events)) <= returned).all()
    assert (pairs[found.purchases] == pairs[found.returns]).all()
    assert (times[found.purchases] <= times[found.returns]).all()
    assert (found.units > 0).all()


@given(EVENTS, st.integers(0, 9))
def test_later_events_change_no_earlier_match(events: list[tuple[int, int, int, int]], now: int) -> None:
    before = [event for event in events if event[1] <= now]
    order = sorted(range(len(events)), key=lambda row: events[row][1] > now)  # what is known first, in its order
    whole = matched([events[row] for row in order])
    if before:
        known = matched(before)
        early = whole.returns < len(before)
        for mine, theirs in zip(known, whole, strict=True):
            np.testing.assert_array_equal(mine, theirs[early])
