"""Sums over what happened before a moment, by key: of features that must not see the future."""

import numpy as np

_SPAN = 1 << 34
"""Keys are set apart by this; times are seconds or days since 1970-01-01, and smaller."""
_PARTS = 65_536.0
"""Values are summed as whole parts of one, so that a sum is the same bits whatever is summed beside it."""


class RunningSums:
    """Events with values.

    Args: keys: int [n], from 0 on; times: int64 [n], from 0 on; values: float [n] each, by name; `n` counts the events.
    """

    def __init__(self, keys: np.ndarray, times: np.ndarray, **values: np.ndarray) -> None:
        places = _places(keys, times)
        order = np.argsort(places, kind="stable")
        self._places, self._times = places[order], np.asarray(times, np.int64)[order]
        # Most questions begin at a key's first event. Found once for each key, it is looked up instead of searched for:
        # a search costs more the more events there are, and with them no longer finds its way in the processor's cache.
        n_keys = int(np.max(keys, initial=-1)) + 1
        self._starts = np.searchsorted(self._places, np.arange(n_keys + 1) * _SPAN)
        values["n"] = np.ones(len(places))
        self._sums = {
            name: np.append(0, np.cumsum(np.rint(np.asarray(each, float)[order] * _PARTS).astype(np.int64)))
            for name, each in values.items()
        }

    def before(self, name: str, keys: np.ndarray, times: np.ndarray, within: int | None = None) -> np.ndarray:
        """Sum of a value over the key's events before each time, at most `within` before it; float64."""
        first = self._first(keys) if within is None else self._at(keys, np.maximum(times - within, 0))
        sums = self._sums[name]
        found: np.ndarray = (sums[self._at(keys, times)] - sums[first]) / _PARTS
        return found

    def since_latest(self, keys: np.ndarray, times: np.ndarray) -> np.ndarray:
        """Time since the key's latest event before each time; infinity where there is none. float64."""
        end = self._at(keys, times)
        is_any = end > self._first(keys)
        if not len(self._times):
            return np.full(len(end), np.inf)
        return np.where(is_any, times - self._times[np.maximum(end - 1, 0)], np.inf)

    def _first(self, keys: np.ndarray) -> np.ndarray:
        """Place of each key's first event; behind all events for a key without one and above all that have some."""
        found: np.ndarray = self._starts[np.minimum(keys, len(self._starts) - 1)]
        return found

    def _at(self, keys: np.ndarray, times: np.ndarray) -> np.ndarray:
        return np.searchsorted(self._places, _places(keys, times))


def _places(keys: np.ndarray, times: np.ndarray) -> np.ndarray:
    return np.asarray(keys, np.int64) * _SPAN + np.asarray(times, np.int64)
