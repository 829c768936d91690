"""A format is found again from the times that it writes."""

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.sources.guess_columns import TIME_FORMATS, reads_all, time_format_of

# Days that are no months, in a year that is no day.
TIMES = [datetime(2045, 3, 13, 9, 5, 7, 123456, tzinfo=UTC) + timedelta(hours=37 * step) for step in range(11)]


@pytest.mark.parametrize("time_format", TIME_FORMATS)
def test_what_a_format_writes_is_read_by_it(time_format: str) -> None:
    assert time_format_of([time.strftime(time_format) for time in TIMES]) == time_format


def test_one_in_fifty_may_be_no_time() -> None:
    times = [TIMES[0].strftime("%d.%m.%Y")] * 98
    assert reads_all([*times, "", "n/a"], "%d.%m.%Y")
    assert not reads_all([*times, "", "n/a", "?"], "%d.%m.%Y")
    assert not reads_all([], "%d.%m.%Y")
