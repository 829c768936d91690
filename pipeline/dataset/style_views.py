"""What customers looked at of late, as of a day: each article, and the mean of their vectors. All is before the day."""

import numpy as np
from scipy import sparse

from models.ragged import ranges
from models.style_config import VIEW_DECAYS
from models.style_fields import VIEW_SIGNALS
from pipeline.dataset.purchases import Purchases

VIEWED_DAYS = 30
_FAR_DAYS = 1_000_000


class RecentViews:
    """Views in order of customer and time. Args: views: in the form of purchases, times in days."""

    def __init__(self, views: Purchases) -> None:
        self._views = views
        self._places = views.customers.astype(np.int64) * _FAR_DAYS + np.floor(views.times).astype(np.int64)

    def before(self, customers: np.ndarray, days: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The views of customers in the 30 days before a day of each; int [R], int [R].

        Returns: row of each view, int64 [L]; its article, int32 [L]; its age in days, float64 [L].
        """
        end = customers.astype(np.int64) * _FAR_DAYS + days
        # A day before the first of all would lead into another customer's views.
        first = np.searchsorted(self._places, np.maximum(end - VIEWED_DAYS, customers.astype(np.int64) * _FAR_DAYS))
        lengths = np.maximum(np.searchsorted(self._places, end) - first, 0)
        flat, rows = ranges(first, lengths), np.repeat(np.arange(len(customers)), lengths)
        return rows, self._views.items[flat], days[rows] - self._views.times[flat]


def viewed_means(rows: np.ndarray, items: np.ndarray, ages: np.ndarray, n_rows: int, vectors: np.ndarray) -> np.ndarray:
    """Means of the vectors viewed, one a decay, nearer to zero the fewer there are; float32 [R, K, D].

    Args: rows, items, ages: as `RecentViews.before` returns them; vectors: float32 [V, D].
    """
    found, shape = [], (n_rows, len(vectors))
    for days in VIEW_DECAYS:
        weights = sparse.csr_matrix((np.exp(-ages / days).astype(np.float32), (rows, items)), shape)
        found.append(np.asarray(weights @ vectors) / (1.0 + np.asarray(weights.sum(axis=1))))
    return np.stack(found, axis=1).astype(np.float32)


def view_signals(keys: np.ndarray, viewed: np.ndarray, ages: np.ndarray) -> np.ndarray:
    """What customers looked at of some pairs of customer and article; float32 [pairs, VIEW_SIGNALS].

    Args: keys: int64 [pairs], name them, a key may repeat; viewed: int64 [L], the key of each view; ages: float [L].
    """
    unique, inverse = np.unique(keys, return_inverse=True)
    if not len(unique):
        return np.zeros((0, len(VIEW_SIGNALS)), np.float32)
    place = np.minimum(np.searchsorted(unique, viewed), len(unique) - 1)
    asked = unique[place] == viewed
    place, ages = place[asked], ages[asked]
    times = np.bincount(place, minlength=len(unique))
    decayed = [np.bincount(place, np.exp(-ages / days), len(unique)) for days in VIEW_DECAYS]
    latest = np.full(len(unique), np.inf)
    np.minimum.at(latest, place, ages)
    since = np.where(times > 0, latest, 0.0)
    columns = [times > 0, np.log1p(times), *(np.log1p(each) for each in decayed), np.log1p(since) / 3.0]
    found: np.ndarray = np.stack(columns, axis=1).astype(np.float32)
    return found[inverse]
