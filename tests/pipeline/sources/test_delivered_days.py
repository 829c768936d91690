"""A store's day without lines is missing where such days usually have some, else the store was closed."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pipeline.sources.delivered_days import missing_days, store_days

FIRST = date(2026, 1, 5)  # a Monday


def days(count: int) -> list[date]:
    return [FIRST + timedelta(days=number) for number in range(count)]


@given(weeks=st.integers(3, 12), closed=st.integers(0, 6), lost=st.integers(14, 20))
def test_a_weekly_closing_day_is_closed_and_a_lost_day_is_missing(weeks: int, closed: int, lost: int) -> None:
    every = days(7 * weeks)
    lines = {(day, "s1"): 5 for day in every if day.weekday() != closed and day != every[lost]}
    states = {row.day: row.state for row in store_days(lines, every[-1])}
    expected = "closed" if every[lost].weekday() == closed else "missing"
    assert states[every[lost]] == expected
    # A closing day in the first weeks cannot be told from a lost one yet.
    assert all(states[day] == "closed" for day in every[14:] if day.weekday() == closed and day in states)
    assert sum(state == "sold" for state in states.values()) == len(lines)


def test_a_store_that_shut_for_good_is_closed_after_some_weeks() -> None:
    lines = {(day, "s1"): 5 for day in days(56)}
    states = [row.state for row in store_days(lines, FIRST + timedelta(days=56 + 55))][56:]
    assert states == ["missing"] * states.count("missing") + ["closed"] * states.count("closed")
    assert 14 <= states.count("missing") <= 35


def test_the_order_of_lines_changes_nothing_and_every_day_is_there_once() -> None:
    lines = {(day, store): 1 for number, day in enumerate(days(30)) for store in "ab" if number % 3 or store == "a"}
    rows = store_days(lines, days(30)[-1])
    assert rows == store_days(dict(reversed(lines.items())), days(30)[-1])
    assert len({(row.store_id, row.day) for row in rows}) == len(rows)


def test_a_missing_day_names_the_stores_or_the_whole_chain() -> None:
    lines = {(day, store): 1 for day in days(21) for store in ("s1", "s2", "s3")}
    lines = {key: count for key, count in lines.items() if key[0] != days(21)[9]}
    del lines[days(21)[15], "s2"]
    rows = store_days(lines, days(21)[-1])
    assert missing_days(rows, days(21)[-1]) == [
        "2026-01-14: no store's lines came",
        "2026-01-20: no lines came of store s2",
    ]
    assert missing_days(rows, days(21)[-1] + timedelta(days=60)) == []


@given(weeks=st.integers(2, 10), closed=st.integers(0, 6), opened=st.integers(7, 13))
def test_a_new_store_rests_on_the_chains_closing_day(weeks: int, closed: int, opened: int) -> None:
    every = [day for day in days(7 * (weeks + 3)) if day.weekday() != closed]
    lines = {(day, "old"): 5 for day in every} | {(day, "new"): 5 for day in every[opened:]}
    rows = store_days(lines, every[-1])
    assert not [row for row in rows if row.store_id == "new" and row.state == "missing" and row.day > days(14)[-1]]
    del lines[every[opened + 2], "new"]
    states = {(row.store_id, row.day): row.state for row in store_days(lines, every[-1])}
    assert states["new", every[opened + 2]] == "missing"
