"""Which purchase a return takes back: the customer's newest one of that product that is not yet taken back.

The netting of baskets takes the earliest instead, which leaves the same units in every sum. What comes back within a
return window was nearly always bought last, so that labels by the earliest would lie months before it.
"""

from typing import NamedTuple

import numpy as np


class MatchedReturns(NamedTuple):
    """Units of a purchase that came back; one row per pair of events that have some in common.

    Args: purchases, returns: int64 [m], events; units: int64 [m], above 0.
    """

    purchases: np.ndarray
    returns: np.ndarray
    units: np.ndarray


def match_newest_first(
    pairs: np.ndarray, times: np.ndarray, bought: np.ndarray, returned: np.ndarray
) -> MatchedReturns:
    """Match returns to purchases of the same customer and product, in the order of their times.

    Within one event, and among events of one time, purchases count as made before returns; what is returned beyond all
    earlier purchases matches nothing. Only pairs with a return cost time.

    Args: pairs: int [n], customer and product of each event as one number; times: [n]; bought, returned: int64 [n],
          units, or millionths of one.
    """
    has_return = np.zeros(int(pairs.max(initial=-1)) + 1, bool)
    has_return[pairs[returned > 0]] = True
    rows = np.flatnonzero(has_return[pairs])
    # Purchases first: an event of a pair that returns and one that buys may bear the same time.
    rows = rows[np.lexsort((returned[rows] > 0, times[rows], pairs[rows]))]
    _, first = np.unique(pairs[rows], return_index=True)
    found: list[tuple[int, int, int]] = []
    for events in np.split(rows, first[1:]):
        _match(events.tolist(), bought, returned, found)
    return MatchedReturns(*np.array(found, np.int64).reshape(-1, 3).T)


def first_return_times(matched: MatchedReturns, times: np.ndarray, n: int) -> np.ndarray:
    """Time of the first return that took something of each of n events; -1 where none did. int64 [n]."""
    latest = np.iinfo(np.int64).max
    first = np.full(n, latest)
    np.minimum.at(first, matched.purchases, times[matched.returns])
    return np.where(first == latest, -1, first)


def _match(events: list[int], bought: np.ndarray, returned: np.ndarray, found: list[tuple[int, int, int]]) -> None:
    """Match the events of one pair; what a purchase still holds lies on a stack, the newest on top."""
    held: list[list[int]] = []
    for event in events:
        if bought[event] > 0:
            held.append([event, int(bought[event])])
        back = int(returned[event])
        while back > 0 and held:
            purchase, left = held[-1]
            units = min(back, left)
            found.append((purchase, event, units))
            back -= units
            held[-1][1] -= units
            if held[-1][1] <= 0:
                held.pop()
