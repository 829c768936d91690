"""Measures of a basket, one per kind of change, each with its usual values.

Content is measured by the distance of Algorithm 1. The other measures are residuals: a value less what the funnel's own
history predicts. They are compared among baskets with similar predictions, because the variance grows with the level.
Square roots make the variance of counts and gaps about equal on all levels; logarithms would hide large values.
"""

from dataclasses import dataclass

import numpy as np

from models.behaviour.expected_values import residuals
from models.behaviour.funnel_baskets import Array, Flags, FunnelBaskets, Integers

# Products, units and money in the size of a basket; money swings most, for one dear product suffices.
_SIZE_WEIGHTS = (2.0, 1.0, 1.0)
# A gap is news when it has grown to this many usual gaps.
_NEWS_GAPS = 3.0


@dataclass(frozen=True)
class Measure:
    """Values of one measure. Shapes: V values, funnel by funnel and oldest first.

    value:      float64 [V]; larger is more unusual.
    level:      float64 [V]; the predicted value; values are compared among those of similar level.
    funnel:     int [V]; index of the funnel.
    recent:     bool [V]; whether the value is scored; the others are history.
    usable:     bool [V]; whether the value is a fair sample of the usual ones.
    least_news: the number of latest values that must be unusual together to be news; a shorter run is over by then.
    """

    value: Array
    level: Array
    funnel: Integers
    recent: Flags
    usable: Flags
    least_news: int = 1


def content(histories: FunnelBaskets, distance: Array) -> Measure:
    """Other products than usual, by their distance [B]."""
    return _of_baskets(histories, distance, np.zeros(len(distance)), ~histories.recent)


def size(histories: FunnelBaskets) -> Measure:
    """More products, units and money than usual, all at once."""
    measures = (histories.lines, histories.basket_units, histories.spend)
    parts = [
        residuals(np.sqrt(np.maximum(values, 0.0)), histories.funnel, histories.recent, histories.n_funnels)
        for values in measures
    ]
    value = sum(weight * part.residual for weight, part in zip(_SIZE_WEIGHTS, parts, strict=True))
    return _of_baskets(histories, np.asarray(value), parts[0].mean, parts[0].usable)


def quantity(histories: FunnelBaskets) -> Measure:
    """More units of each product than usual."""
    each = np.log(np.maximum(histories.basket_units, 1e-6) / np.maximum(histories.lines, 1.0))
    part = residuals(each, histories.funnel, histories.recent, histories.n_funnels)
    return _of_baskets(histories, part.residual, part.mean, part.usable)


def timing(histories: FunnelBaskets, today: int | None, recent_days: int) -> tuple[Measure, Measure, Measure]:
    """Measures of longer gaps than usual, of shorter gaps, and of an open gap that is long by `today`.

    A long gap is reported once, on the day it reaches `_NEWS_GAPS` usual gaps. If that day lies before the recent days,
    neither the open gap nor the return that ends it is news again. A single long gap is not news after the customer has
    returned, because nothing can be done about it.

    Args:    today: the business date, counted as `histories.day`; None: open gaps are not measured.
             recent_days: days before `today` whose events may be news.
    Returns: the measures `later`, `sooner` and `silence`.
    """
    closed = ~np.isnan(histories.gap_days)
    days, funnel, recent = histories.gap_days[closed], histories.funnel[closed], histories.recent[closed]
    count = histories.n_funnels
    reported, open_days, open_is_reported = _reported_before(histories, closed, today, recent_days)
    # The open gap is one more value of each funnel, as if a basket came today.
    ends = np.searchsorted(funnel, np.arange(count), side="right")
    every_funnel = np.insert(funnel, ends, np.arange(count))
    every_recent = np.insert(recent, ends, True)
    is_open = np.insert(np.zeros(len(days), dtype=bool), ends, True)
    left = residuals(np.sqrt(np.insert(days, ends, open_days)), every_funnel, every_recent, count, by_count=True)

    def of(value: Array, kept: Flags, least_news: int = 1) -> Measure:
        left_of = (value[kept], left.mean[kept], every_funnel[kept], every_recent[kept], left.usable[kept])
        return Measure(*left_of, least_news=least_news)

    later = of(left.residual, ~is_open & ~(every_recent & np.insert(reported, ends, False)), least_news=2)
    sooner = of(-left.residual, ~is_open)
    silence = of(
        left.residual, ~every_recent | (is_open & ~np.insert(np.zeros(len(days), bool), ends, open_is_reported))
    )
    return later, sooner, silence


def _reported_before(
    histories: FunnelBaskets, closed: Flags, today: int | None, recent_days: int
) -> tuple[Flags, Array, Flags]:
    """Which gaps were news before the recent days already.

    Shapes:  G closed gaps, F funnels.
    Returns: bool [G], closed gaps that were; float64 [F], days of each open gap; bool [F], open gaps that were.
    """
    count, last_day = histories.n_funnels, histories.day[histories.last]
    days, funnel = histories.gap_days[closed], histories.funnel[closed]
    if today is None:
        return np.zeros(len(days), dtype=bool), np.ones(count), np.ones(count, dtype=bool)
    number = np.maximum(np.bincount(funnel, minlength=count), 1)
    usual = np.exp(np.bincount(funnel, weights=np.log(days), minlength=count) / number)
    # The day on which a gap is a few usual gaps long, rounded up, is the day it is news.
    news_after = np.ceil(_NEWS_GAPS * usual)
    begun = today - histories.day[closed] - histories.shut_since[closed] + days
    silent = today - last_day - histories.shut_since[histories.last]
    open_days = np.maximum(silent, 1).astype(np.float64)
    return begun - news_after[funnel] > recent_days, open_days, silent - news_after > recent_days


def _of_baskets(histories: FunnelBaskets, value: Array, level: Array, usable: Flags) -> Measure:
    return Measure(value, level, histories.funnel, histories.recent, usable)
