"""How much all known customers will spend together: the store's own forecast, times what known customers make of it.

A model that ranks customers well need not know how much the coming weeks will bring. The store's days say that better:
the level of its latest weeks, moved by what the same season brought a year before.
"""

import numpy as np

_YEAR = 365
_LEAST_LEVEL_DAYS = 56
_SEASON_DAYS = 14


def daily_totals(days: np.ndarray, values: np.ndarray, first_day: int, end: int) -> np.ndarray:
    """Sum of each day from the first to before `end`; float64 [end - first_day]."""
    inside = (days >= first_day) & (days < end)
    return np.bincount(days[inside] - first_day, weights=values[inside], minlength=end - first_day)


def store_forecast(daily: np.ndarray, horizon: int) -> np.ndarray:
    """What each of the next `horizon` days brings; float64 [horizon].

    The level is the mean of the latest eight weeks or, of longer horizons, of as many days. With more than a year of
    history, a day stands to that level as a year before. With less, the season after the end of the data was never
    seen: a day lies on the line from the level to the first days of the data, which come round a year after them.

    Args: daily: totals of a store's days, the latest last, at least one.
    """
    n = len(daily)
    width = min(max(_LEAST_LEVEL_DAYS, horizon), n)
    level = float(daily[-width:].mean())
    found = np.empty(horizon)
    anchor = float(daily[:_SEASON_DAYS].mean())
    before = daily[max(n - _YEAR - width, 0) : max(n - _YEAR, 0)]
    for ahead in range(horizon):
        year_ago = n + ahead - _YEAR
        if year_ago < 0:
            found[ahead] = level + (anchor - level) * (ahead + 1) / (_YEAR - n + 1)
            continue
        known = np.concatenate([daily, found[:ahead]])
        season = float(known[max(year_ago - _SEASON_DAYS, 0) : year_ago + _SEASON_DAYS + 1].mean())
        comparable = len(before) >= _LEAST_LEVEL_DAYS and before.mean() > 0
        found[ahead] = level * season / float(before.mean()) if comparable else season
    return found
