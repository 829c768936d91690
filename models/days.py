"""Days as the arrays count them, and as merchandisers read them, in English wherever the job runs."""

from datetime import date, timedelta
from typing import Any

import numpy as np

_EPOCH = date(1970, 1, 1)
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def epoch_day(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - _EPOCH).days


def epoch_days(days: Any) -> np.ndarray:
    """Days since 1970-01-01 of many dates; int64, shaped like `days`."""
    return np.asarray(days, "datetime64[D]").astype(np.int64)


def day_of(number: int) -> date:
    """The date that is `number` days after 1970-01-01."""
    return _EPOCH + timedelta(days=int(number))


def short_day(day: date) -> str:
    """Weekday, day and month.

    >>> short_day(date(2026, 3, 6))
    'Fri 6 Mar'
    """
    return f"{_WEEKDAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]}"
