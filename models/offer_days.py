"""From buckets of days to days, given that a customer was not seen for some of them."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

HORIZON_DAYS = 730
"""Days after an event that have a probability of their own; what comes later counts as the last one."""


class DueOffers(NamedTuple):
    """When offers come, as of a day on which none came yet.

    Args: offers: float64 [B, V], probability of being the next; buckets: float64 [B, V, K], joint probability;
          by_day: float64 [B, V, D], probability of being the next and coming within 1, 2, ... D days;
          mean_days: float64 [B, V], from the latest event, given that the offer is the next.
    """

    offers: np.ndarray
    buckets: np.ndarray
    by_day: np.ndarray
    mean_days: np.ndarray


def shares_of_days(edges: np.ndarray) -> np.ndarray:
    """Share of each bucket's probability on each day from 1 on; float64 [K, HORIZON_DAYS].

    The days of a bucket are alike. The last bucket has no end: it falls by the same share from day to day, so that its
    mean lies about as far behind its beginning as that lies behind the event.
    """
    ends = np.concatenate([[0.0], edges]).astype(int)
    days = np.arange(1, HORIZON_DAYS + 1)
    shares = [((days > first) & (days <= last)) / max(last - first, 1) for first, last in pairwise(ends)]
    after = days - ends[-1]
    tail = np.where(after > 0, np.exp(-(after - 1.0) / max(ends[-1], 7)), 0.0)
    if after[-1] > 0:
        shares.append(tail / tail.sum())
    else:
        shares.append((days == HORIZON_DAYS).astype(float))
    return np.stack(shares)


def due_offers(joint: np.ndarray, edges: np.ndarray, waited: np.ndarray, horizon: int) -> DueOffers:
    """Condition joint probabilities on what was waited for already.

    Args: joint: [B, V, K]; waited: int [B], days after the event on which nothing came; horizon: D.
    """
    shares = shares_of_days(edges)
    waited = np.minimum(waited, HORIZON_DAYS - 1)
    days = np.arange(HORIZON_DAYS)
    to_come = (days[None] >= waited[:, None]).astype(float)
    left = np.einsum("kd,bd->bk", shares, to_come)
    buckets = joint * left[:, None]
    total = np.maximum(buckets.sum(axis=(1, 2), keepdims=True), 1e-300)
    # Whoever waited so long that every bucket is over is expected at last, with the offers' probabilities as they were.
    over = buckets.sum(axis=(1, 2)) < 1e-12
    buckets = np.where(over[:, None, None], joint * (np.arange(joint.shape[2]) == joint.shape[2] - 1), buckets / total)
    buckets /= np.maximum(buckets.sum(axis=(1, 2), keepdims=True), 1e-300)
    of_day = shares[None] * to_come[:, None] / np.maximum(left, 1e-300)[:, :, None]
    window = waited[:, None] + np.arange(horizon)[None]
    coming = np.pad(of_day, [(0, 0), (0, 0), (0, horizon)])
    within = np.cumsum(np.take_along_axis(coming, window[:, None], axis=2), axis=2)
    by_day = np.minimum(np.einsum("bvk,bkd->bvd", buckets, within), 1.0)
    offers = buckets.sum(axis=2)
    mean_of_bucket = np.where(left > 0, np.einsum("bkd,d->bk", of_day, days + 1.0), HORIZON_DAYS)
    mean_days = np.einsum("bvk,bk->bv", buckets, mean_of_bucket) / np.maximum(offers, 1e-300)
    return DueOffers(offers, buckets, by_day, np.where(offers > 0, mean_days, HORIZON_DAYS))
