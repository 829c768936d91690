"""Days as numbers and back, one by one and many at once."""

from datetime import date

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.days import day_of, epoch_day, epoch_days, short_day


@given(st.dates())
def test_a_day_comes_back_from_its_number(day: date) -> None:
    assert day_of(epoch_day(day)) == day


@given(st.lists(st.dates(date(1900, 1, 1), date(2200, 1, 1)), max_size=20))
def test_many_days_are_counted_as_each_of_them(days: list[date]) -> None:
    assert epoch_days(np.array(days, "datetime64[D]")).tolist() == [epoch_day(day) for day in days]
    assert epoch_days(np.array(days, "datetime64[ns]")).tolist() == [epoch_day(day) for day in days]


def test_a_day_is_short_in_english() -> None:
    assert short_day(date(2026, 3, 6)) == "Fri 6 Mar"
