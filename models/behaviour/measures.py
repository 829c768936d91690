"""What is judged of a basket: each kind of change as one number, with what is usual for it.

Content is judged by the distance of Algorithm 1. The others are numbers that a funnel's own history predicts; judged is
what the prediction leaves, among baskets from which as much was expected: a large basket scatters otherwise than a
small one. Square roots make counts and gaps scatter alike on all levels; a logarithm hides large ones.
"""

from dataclasses import dataclass

import numpy as np

from models.behaviour.expected_values import residuals
from models.behaviour.histories import Array, Flags, Histories, Integers

# Products, units and money in the size of a basket; money swings most, for one dear product suffices.
_SIZE_WEIGHTS = (2.0, 1.0, 1.0)
# A gap is news when it has grown to this many usual gaps.
_NEWS_GAPS = 3.0


@dataclass(frozen=True)
class Measure:
    """Shapes: V values, funnel by funnel and oldest first.

    value:  float64 [V]; larger is stranger.
    level:  float64 [V]; what was expected; values are judged among those of similar level.
    funnel: int [V]; recent: bool [V]; usable: bool [V]; a fair sample of what is usual.
    least_news: latest values together that are news; fewer are over by the time they show.
    """

    value: Array
    level: Array
    funnel: Integers
    recent: Flags
    usable: Flags
    least_news: int = 1


def content(histories: Histories, distance: Array) -> Measure:
    """Other products than usual, by their distance [B]."""
    return _of_baskets(histories, distance, np.zeros(len(distance)), ~histories.recent)


def size(histories: Histories) -> Measure:
    """More products, units and money than usual, all at once."""
    measures = (histories.lines, histories.basket_units, histories.spend)
    parts = [
        residuals(np.sqrt(np.maximum(values, 0.0)), histories.funnel, histories.recent, histories.n_funnels)
        for values in measures
    ]
    value = sum(weight * part.residual for weight, part in zip(_SIZE_WEIGHTS, parts, strict=True))
    return _of_baskets(histories, np.asarray(value), parts[0].mean, parts[0].usable)


def quantity(histories: Histories) -> Measure:
    """More units of each product than usual."""
    each = np.log(np.maximum(histories.basket_units, 1e-6) / np.maximum(histories.lines, 1.0))
    part = residuals(each, histories.funnel, histories.recent, histories.n_funnels)
    return _of_baskets(histories, part.residual, part.mean, part.usable)


def timing(histories: Histories, today: int | None, recent_days: int) -> tuple[Measure, Measure, Measure]:
    """Longer between baskets than usual, shorter, and no basket for long up to `today`.

    A long gap is told once: when it has grown to a few usual gaps. If that was before the recent days, it is news
    neither as a silence that goes on nor as a return. One long gap alone is no news once the customer is back: there
    is nothing left to do about it. Without `today` no silence is judged.
    """
    closed = ~np.isnan(histories.gap_days)
    days, funnel, recent = histories.gap_days[closed], histories.funnel[closed], histories.recent[closed]
    count = histories.n_funnels
    told, open_days, open_is_told = _told(histories, closed, today, recent_days)
    # The open gap is one more value of each funnel, as if a basket came today.
    ends = np.searchsorted(funnel, np.arange(count), side="right")
    every_funnel = np.insert(funnel, ends, np.arange(count))
    every_recent = np.insert(recent, ends, True)
    is_open = np.insert(np.zeros(len(days), dtype=bool), ends, True)
    left = residuals(np.sqrt(np.insert(days, ends, open_days)), every_funnel, every_recent, count, by_count=True)

    def of(value: Array, kept: Flags, least_news: int = 1) -> Measure:
        left_of = (value[kept], left.mean[kept], every_funnel[kept], every_recent[kept], left.usable[kept])
        return Measure(*left_of, least_news=least_news)

    later = of(left.residual, ~is_open & ~(every_recent & np.insert(told, ends, False)), least_news=2)
    sooner = of(-left.residual, ~is_open)
    silence = of(left.residual, ~every_recent | (is_open & ~np.insert(np.zeros(len(days), bool), ends, open_is_told)))
    return later, sooner, silence


def _told(histories: Histories, closed: Flags, today: int | None, recent_days: int) -> tuple[Flags, Array, Flags]:
    """Whether each closed gap was news before the recent days, each open gap in days, and whether that was."""
    count, last_day = histories.n_funnels, histories.day[histories.last]
    days, funnel = histories.gap_days[closed], histories.funnel[closed]
    if today is None:
        return np.zeros(len(days), dtype=bool), np.ones(count), np.ones(count, dtype=bool)
    number = np.maximum(np.bincount(funnel, minlength=count), 1)
    usual = np.exp(np.bincount(funnel, weights=np.log(days), minlength=count) / number)
    # The day on which a gap is a few usual gaps long, rounded up, is the day it is news.
    news_after = np.ceil(_NEWS_GAPS * usual)
    begun = today - (histories.day[closed] - days)
    open_days = np.maximum(today - last_day, 1).astype(np.float64)
    return begun - news_after[funnel] > recent_days, open_days, today - last_day - news_after > recent_days


def _of_baskets(histories: Histories, value: Array, level: Array, usable: Flags) -> Measure:
    return Measure(value, level, histories.funnel, histories.recent, usable)
