"""Is the latest run of a funnel's values unlike what is usual?

A change shows in the last basket, or more surely in the last few together. Every value has a normal score, 0 for the
middle of what is usual and 2 for one in 44. The sums of the last 1 to `MAX_RUN` scores are
compared with the same sums within the histories of all funnels.

A change is news once: while its run also stands out from the few values just before it, which a level that rose weeks
ago no longer does. That decides on alerts and not on scores.
"""

from dataclasses import dataclass

import numpy as np

from models.behaviour.funnel_baskets import Array, Flags, Integers

MAX_RUN = 5
# Values just before a run that it must stand out from, by so many standard errors, and how many of them it needs.
_JUST_BEFORE = 4
_NEWS_ERRORS = 1.0


@dataclass(frozen=True)
class Runs:
    """Runs of one length.

    Shapes: R runs of histories, F funnels.
    usual:        float64 [R]; sums of runs that lie within a history.
    usual_funnel: int [R]; their funnels.
    latest:       float64 [F]; sum of the run that ends with the last value; -inf where there is none.
    is_news:      bool [F]; it stands out from the values just before it.
    """

    usual: Array
    usual_funnel: Integers
    latest: Array
    is_news: Flags


def latest_runs(scores: Array, funnel: Integers, recent: Flags, usable: Flags, n_funnels: int) -> list[Runs]:
    """The runs of 1 to `MAX_RUN` values, sums divided by the root of the length.

    Args:
        scores, funnel, recent, usable: [V], funnel by funnel and oldest first; the recent ones are scored, the
            usable ones are a fair sample of what is usual.
    """
    is_end = np.append(funnel[1:] != funnel[:-1], True) if len(funnel) else np.zeros(0, dtype=bool)
    before, count_before = _just_before(scores, funnel)
    sums = np.concatenate([[0.0], np.cumsum(scores)])
    unusable = np.concatenate([[0], np.cumsum(~usable)])
    runs = []
    for length in range(1, MAX_RUN + 1):
        first = np.arange(max(len(scores) - length + 1, 0))
        first = first[funnel[first] == funnel[first + length - 1]]
        end = first + length - 1
        total = sums[end + 1] - sums[first]
        error = np.sqrt(1.0 / length + 1.0 / np.maximum(count_before[first], 1))
        stands_out = (total / length - before[first]) >= _NEWS_ERRORS * error
        is_usual = unusable[end + 1] == unusable[first]
        is_latest = recent[first] & is_end[end]
        latest, is_news = np.full(n_funnels, -np.inf), np.zeros(n_funnels, dtype=bool)
        latest[funnel[first[is_latest]]] = total[is_latest] / np.sqrt(length)
        is_news[funnel[first[is_latest]]] = stands_out[is_latest]
        runs.append(Runs(total[is_usual] / np.sqrt(length), funnel[first[is_usual]], latest, is_news))
    return runs


def _just_before(scores: Array, funnel: Integers) -> tuple[Array, Integers]:
    """Mean and number of the values just before each one, [V]; a mean of 0 where there is none."""
    total, count = np.zeros(len(scores)), np.zeros(len(scores), dtype=np.int64)
    for back in range(1, _JUST_BEFORE + 1):
        same = funnel[back:] == funnel[:-back]
        total[back:] += same * scores[:-back]
        count[back:] += same
    return total / np.maximum(count, 1), count
