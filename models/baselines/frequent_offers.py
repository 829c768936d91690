"""Next offers by frequency: the customer's own offers first, then everyone's."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from models.offer_fields import MAY_BE_OFFERED, OFFER_FEATURE_VALUES, OFFER_FEATURES
from models.special_ids import FIRST_PRODUCT

_OWN = OFFER_FEATURES.index("log_top_events")


@dataclass(frozen=True)
class FrequentOffers:
    """Own offers by how many events they were the dearest of, ties and others by everyone's; buckets by their shares.

    counts: float64 [V], events that each offer was the dearest of; buckets: float64 [K], share of each; own: whether
    own offers come first.
    """

    counts: np.ndarray
    buckets: np.ndarray
    own: bool = True

    @classmethod
    def of_cases(
        cls, offers: np.ndarray, buckets: np.ndarray, n_offers: int, n_buckets: int, own: bool = True
    ) -> "FrequentOffers":
        """Counts of what came next; int [n] each."""
        counts = np.bincount(offers, minlength=n_offers).astype(float)
        shares = (np.bincount(buckets, minlength=n_buckets) + 1.0) / (len(buckets) + n_buckets)
        return cls(counts, shares, own)

    def joint(self, batch: Mapping[str, np.ndarray]) -> np.ndarray:
        """Probability of each offer together with each bucket; float64 [B, V, K]; 0 for what may not be offered."""
        own = np.expm1(batch[OFFER_FEATURE_VALUES][:, :, _OWN]).round() if self.own else 0.0
        everyone = (self.counts + 1.0) / (self.counts.sum() + len(self.counts))
        scores = (own + everyone) * batch[MAY_BE_OFFERED]
        scores[:, :FIRST_PRODUCT] = 0.0
        scores = scores / np.maximum(scores.sum(axis=1, keepdims=True), 1e-12)
        joint: np.ndarray = scores[:, :, None] * self.buckets
        return joint
