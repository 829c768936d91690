"""Candidates for the next basket, and the features of each, from a memory of what everyone bought.

    candidates  int32   [B, C]      the customer's own products, then what others' histories name; 0 padded
    candidate_features  float32 [B, C, 31]  12 numbers about own purchases (own_products.py), whether it is an own
                product at all, and 18 from others' histories (models/candidates/scaled_features.py); 0 where padded

Without a memory the candidates are the own products, and what others would say of them is 0.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from models.basket_sequences import BasketSequences
from models.candidates.features import CandidateFeatures, FeatureConfig
from models.candidates.scaled_features import N_OF_OTHERS, scaled_features_of_others
from models.keys import keys_of
from models.ragged import offsets_of, ranges
from pipeline.dataset.histories import Histories
from pipeline.dataset.own_products import N_OWN_FEATURES, own_products
from pipeline.tables.vocabulary import FIRST_PRODUCT_INDEX

N_CANDIDATE_FEATURES = N_OWN_FEATURES + 1 + N_OF_OTHERS

Evidence = tuple[np.ndarray, np.ndarray]


class Memory(Protocol):
    """Names candidates for the next baskets of funnels."""

    def of(self, histories: Histories, funnels: np.ndarray, ends: np.ndarray) -> Evidence:
        """Candidates and their features for the baskets at `ends`, from what was bought before.

        Args: funnels: int64 [B], rows of `histories`; ends: int64 [B], positions among all baskets.
        """


class OwnPast:
    """Remembers nobody else."""

    def of(self, histories: Histories, funnels: np.ndarray, ends: np.ndarray) -> Evidence:
        """Own products alone."""
        products, features = own_products(histories, funnels, ends)
        return products, _joined(features, products > 0, np.zeros((*products.shape, N_OF_OTHERS), np.float32))


@dataclass(frozen=True)
class Everyone:
    """Remembers the histories that `features` was made of."""

    features: CandidateFeatures

    def of(self, histories: Histories, funnels: np.ndarray, ends: np.ndarray) -> Evidence:
        """Own products and what others name."""
        own, own_features = own_products(histories, funnels, ends)
        found = self.features.of(sequences_of(histories, funnels, ends, self.features.n_products))
        others = scaled_features_of_others(found)
        # Own products are among the candidates; their features move to where they stand.
        width = np.int64(self.features.n_products)
        rows = np.arange(len(ends), dtype=np.int64)[:, None]
        known = np.flatnonzero(own.ravel())
        keys = (rows * width + own).ravel()[known]
        order = np.argsort(keys)
        asked = (rows * width + found.products).ravel()
        place = np.minimum(np.searchsorted(keys, asked, sorter=order), max(len(keys) - 1, 0))
        features = np.zeros((asked.size, N_OWN_FEATURES), np.float32)
        is_own = np.zeros(asked.size, bool)
        if len(keys):
            source = order[place]
            is_own = keys[source] == asked
            features[is_own] = own_features.reshape(-1, N_OWN_FEATURES)[known[source[is_own]]]
        shape = found.products.shape
        return found.products, _joined(features.reshape(*shape, -1), is_own.reshape(shape), others)


@dataclass(frozen=True)
class Snapshots:
    """Memories as of several days: a basket is explained by the latest that knows nothing of its day or later.

    Args: days: int [n], days since 1970-01-01, ascending; memories: one each, of the baskets before that day.
    """

    days: np.ndarray
    memories: Sequence[Memory]

    def of(self, histories: Histories, funnels: np.ndarray, ends: np.ndarray) -> Evidence:
        """Candidates of each basket, by own products alone where it is older than all memories."""
        number = np.searchsorted(self.days, histories.sold_on[ends], side="right")
        parts = [
            (np.flatnonzero(number == each), self.memories[each - 1] if each else OwnPast())
            for each in np.unique(number)
        ]
        return _in_rows(len(ends), [(rows, memory.of(histories, funnels[rows], ends[rows])) for rows, memory in parts])


@dataclass(frozen=True)
class Asked:
    """A memory that is asked about some of the baskets only: the others have no candidates.

    Args: is_asked: bool [B].
    """

    memory: Memory
    is_asked: np.ndarray

    def of(self, histories: Histories, funnels: np.ndarray, ends: np.ndarray) -> Evidence:
        """What the memory answers where it is asked."""
        if self.is_asked.all():
            return self.memory.of(histories, funnels, ends)
        rows = np.flatnonzero(self.is_asked)
        answers = [(rows, self.memory.of(histories, funnels[rows], ends[rows]))] if len(rows) else []
        return _in_rows(len(ends), answers)


def memory_of(remembered: BasketSequences, n_candidates: int) -> Memory:
    """A memory of those histories; of none where there are no two customers to compare."""
    if len(remembered) < 2:
        return OwnPast()
    return Everyone(CandidateFeatures(remembered, FeatureConfig(n_candidates=n_candidates)))


def remembered(parts: Iterable[Histories], day: int, n_products: int, n_customers: int) -> BasketSequences:
    """Histories of at most about `n_customers` customers, drawn by their keys, before `day` (days since 1970-01-01)."""
    parts = list(parts) if n_customers else []
    one_in = -(-sum(int((part.kinds == "customer").sum()) for part in parts) // max(n_customers, 1))
    drawn = [BasketSequences.of_nobody(n_products)]
    for part in parts:
        ends = part.baskets_before(day)
        kept = (part.kinds == "customer") & (ends > part.basket_offsets[:-1])
        kept &= keys_of(part.ids) % max(one_in, 1) == 0
        funnels = np.flatnonzero(kept)
        drawn.append(sequences_of(part, funnels, ends[funnels], n_products))
    return BasketSequences.joined(drawn)


def sequences_of(histories: Histories, funnels: np.ndarray, ends: np.ndarray, n_products: int) -> BasketSequences:
    """The known products of the baskets before `ends`; a customer's number is the key of its id."""
    starts = histories.basket_offsets[funnels]
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


def _joined(own: np.ndarray, is_own: np.ndarray, others: np.ndarray) -> np.ndarray:
    joined: np.ndarray = np.concatenate([own, is_own[..., None].astype(np.float32), others], axis=2)
    return joined


def _in_rows(n: int, parts: list[tuple[np.ndarray, Evidence]]) -> Evidence:
    """Answers for some rows each as one answer for all n, padded to the widest."""
    width = max([products.shape[1] for _, (products, _) in parts], default=1)
    candidates, candidate_features = (
        np.zeros((n, width), np.int32),
        np.zeros((n, width, N_CANDIDATE_FEATURES), np.float32),
    )
    for rows, (products, features) in parts:
        candidates[rows, : products.shape[1]], candidate_features[rows, : products.shape[1]] = products, features
    return candidates, candidate_features
