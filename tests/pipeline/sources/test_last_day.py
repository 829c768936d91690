"""How far a source has got: a pause is one of a season at most, what lies beyond it is a wrong clock."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pipeline.sources.last_day import LONGEST_PAUSE_DAYS, last_connected_day

NIGHT = date(2026, 4, 5)


@given(
    gaps=st.lists(st.integers(1, LONGEST_PAUSE_DAYS), max_size=8), beyond=st.integers(LONGEST_PAUSE_DAYS + 1, 40_000)
)
def test_days_go_on_over_pauses_of_a_season_and_no_further(gaps: list[int], beyond: int) -> None:
    days = [NIGHT - timedelta(days=1)]
    for gap in gaps:
        days.append(days[-1] + timedelta(days=gap))
    wrong = days[-1] + timedelta(days=beyond)
    assert last_connected_day([wrong, *reversed(days)], NIGHT) == days[-1]


def test_without_a_day_before_the_night_nothing_is_known() -> None:
    assert last_connected_day([NIGHT, date(2126, 4, 4)], NIGHT) is None
    assert last_connected_day([], NIGHT) is None
    assert last_connected_day([date(2020, 1, 1)], NIGHT) == date(2020, 1, 1)
