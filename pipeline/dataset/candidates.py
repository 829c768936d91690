"""Candidates for the next basket, and the features of each: from the customer's own past and from everyone's.

    candidates          int32   [B, C]     own products, then those of similar customers and transitions; 0 padded
    candidate_features  float32 [B, C, F]  columns models.fields.CANDIDATE_FEATURES; 0 where padded

A snapshot holds everyone's baskets before some day. Without a snapshot the candidates are the own products alone, and
the features that come from other customers are 0.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from models.basket_sequences import BasketSequences
from models.candidate_columns import OWN_FEATURES, SCALED_FEATURES
from models.candidates.features import CandidateFeatures, FeatureConfig
from models.candidates.own_products import own_products
from models.candidates.scaled_features import scaled_features
from models.fields import N_CANDIDATE_FEATURES
from models.keys import keys_of
from models.ragged import offsets_of, ranges
from pipeline.dataset.histories import Histories
from pipeline.tables.vocabulary import FIRST_PRODUCT_INDEX

FoundCandidates = tuple[np.ndarray, np.ndarray]
"""Candidates and candidate features, as above."""


@dataclass(frozen=True)
class CandidateSource:
    """Where the candidates of next baskets come from.

    Args:
        snapshots: of everyone's baskets; None stands for one with too few customers to compare.
        first_days: int [n], days since 1970-01-01, ascending: the day from which each snapshot may be used, which holds
            only baskets before it. Targets older than every snapshot get own products alone. None: the one snapshot is
            used for every target, as in a night, when all targets are still to come.
    """

    snapshots: Sequence[CandidateFeatures | None] = ()
    first_days: np.ndarray | None = None

    @classmethod
    def of_histories(cls, known: BasketSequences, n_candidates: int) -> "CandidateSource":
        """A source with one snapshot of those histories."""
        return cls((snapshot_of(known, n_candidates),))

    def find(
        self, histories: Histories, funnels: np.ndarray, ends: np.ndarray, needed: np.ndarray | None = None
    ) -> FoundCandidates:
        """Candidates and their features for the baskets at `ends`, from what was bought before.

        Args: funnels: int64 [B], rows of `histories`; ends: int64 [B], positions among all baskets; needed: bool [B],
              examples that need candidates, by default all; the others get padding.
        """
        rows = np.arange(len(ends)) if needed is None else np.flatnonzero(needed)
        number = self._snapshot_numbers(histories, ends[rows])
        parts = []
        for each in np.unique(number):
            chosen = rows[number == each]
            snapshot = self.snapshots[each] if each >= 0 else None
            parts.append((chosen, _find(snapshot, histories, funnels[chosen], ends[chosen])))
        return _in_rows(len(ends), parts)

    def _snapshot_numbers(self, histories: Histories, ends: np.ndarray) -> np.ndarray:
        """The snapshot for each target: the latest that holds no basket of the target's day or later; -1 for none."""
        if self.first_days is None:
            return np.full(len(ends), len(self.snapshots) - 1)
        return np.searchsorted(self.first_days, histories.sold_on[ends], side="right") - 1


def snapshot_of(known: BasketSequences, n_candidates: int) -> CandidateFeatures | None:
    """A snapshot of those histories; None where there are no two customers to compare."""
    if len(known) < 2:
        return None
    return CandidateFeatures(known, FeatureConfig(n_candidates=n_candidates))


def sampled_histories(parts: Iterable[Histories], day: int, n_products: int, n_customers: int) -> BasketSequences:
    """Histories of at most about `n_customers` customers, drawn by their keys, before `day` (days since 1970-01-01)."""
    parts = list(parts) if n_customers else []
    one_in = -(-sum(int((part.kinds == "customer").sum()) for part in parts) // max(n_customers, 1))
    sampled = [BasketSequences.of_nobody(n_products)]
    for part in parts:
        ends = part.baskets_before(day)
        kept = (part.kinds == "customer") & (ends > part.basket_offsets[:-1])
        kept &= keys_of(part.ids) % max(one_in, 1) == 0
        funnels = np.flatnonzero(kept)
        sampled.append(sequences_of(part, funnels, ends[funnels], n_products))
    return BasketSequences.joined(sampled)


def sequences_of(histories: Histories, funnels: np.ndarray, ends: np.ndarray, n_products: int) -> BasketSequences:
    """The known products of the baskets before `ends`; a customer's number is the key of its id."""
    return sequences_between(histories, funnels, histories.basket_offsets[funnels], ends, n_products)


def sequences_between(
    histories: Histories, funnels: np.ndarray, starts: np.ndarray, ends: np.ndarray, n_products: int
) -> BasketSequences:
    """The same of the baskets from `starts` to before `ends`, positions among all baskets; int64 [n] each."""
    baskets = ranges(starts, ends - starts)
    lengths = np.diff(histories.product_offsets)[baskets]
    lines = ranges(histories.product_offsets[baskets], lengths)
    basket = np.repeat(np.arange(len(baskets)), lengths)
    # A product on two lines of a basket is one purchase.
    basket, products = np.divmod(np.unique(basket * np.int64(n_products) + histories.product_ids[lines]), n_products)
    known = products >= FIRST_PRODUCT_INDEX
    basket, products = basket[known], products[known]
    return BasketSequences(
        customers=keys_of(histories.ids[funnels]),
        basket_offsets=offsets_of(ends - starts),
        product_offsets=offsets_of(np.bincount(basket, minlength=len(baskets))),
        product_ids=products.astype(np.int32),
        n_products=n_products,
    )


def _find(
    snapshot: CandidateFeatures | None, histories: Histories, funnels: np.ndarray, ends: np.ndarray
) -> FoundCandidates:
    own, own_features = own_products(histories, funnels, ends)
    if snapshot is None:
        return own, _joined(own_features, own > 0, np.zeros((*own.shape, len(SCALED_FEATURES)), np.float32))
    found = snapshot.of(sequences_of(histories, funnels, ends, snapshot.n_products))
    features, is_own = _features_of_own(found.products, own, own_features, snapshot.n_products)
    return found.products, _joined(features, is_own, scaled_features(found))


def _features_of_own(
    candidates: np.ndarray, own: np.ndarray, own_features: np.ndarray, n_products: int
) -> tuple[np.ndarray, np.ndarray]:
    """Features of own products moved to where they are among the candidates, 0 for others; and which are own.

    Args: candidates: int32 [B, C]; own: int32 [B, H], 0 padded; own_features: float32 [B, H, columns OWN_FEATURES].
    """
    rows = np.arange(len(own), dtype=np.int64)[:, None]
    filled = np.flatnonzero(own.ravel())
    keys = (rows * np.int64(n_products) + own).ravel()[filled]
    wanted = (rows * np.int64(n_products) + candidates).ravel()
    features = np.zeros((wanted.size, len(OWN_FEATURES)), np.float32)
    is_own = np.zeros(wanted.size, bool)
    if len(keys):
        order = np.argsort(keys)
        source = order[np.minimum(np.searchsorted(keys, wanted, sorter=order), len(keys) - 1)]
        is_own = keys[source] == wanted
        features[is_own] = own_features.reshape(-1, len(OWN_FEATURES))[filled[source[is_own]]]
    return features.reshape(*candidates.shape, -1), is_own.reshape(candidates.shape)


def _joined(own: np.ndarray, is_own: np.ndarray, others: np.ndarray) -> np.ndarray:
    joined: np.ndarray = np.concatenate([own, is_own[..., None].astype(np.float32), others], axis=2)
    return joined


def _in_rows(n: int, parts: list[tuple[np.ndarray, FoundCandidates]]) -> FoundCandidates:
    """What was found for some rows each as one pair of arrays for all n, padded to the widest."""
    width = max([products.shape[1] for _, (products, _) in parts], default=1)
    candidates = np.zeros((n, width), np.int32)
    candidate_features = np.zeros((n, width, N_CANDIDATE_FEATURES), np.float32)
    for rows, (products, features) in parts:
        candidates[rows, : products.shape[1]], candidate_features[rows, : products.shape[1]] = products, features
    return candidates, candidate_features
