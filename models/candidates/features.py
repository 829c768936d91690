"""Candidates for a customer's next basket and what is known about each: frequency, recency, neighbours, transitions.

Computed from histories alone. The next baskets to be predicted, of training customers as well, are not among them, and
a customer's own history is left out of the features that come from others: a feature has the same meaning for a
training customer and for a new one.
"""

from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from models.basket_sequences import BasketSequences
from models.candidate_columns import FEATURES, OF_CUSTOMER, OF_OTHERS, OF_PAIR, OF_PRODUCT
from models.candidates.affinities import (
    asymmetric_cosine,
    nearest,
    product_similarity,
    purchases,
    recent_popularity,
    transitions,
)
from models.candidates.temporal_frequency import TemporalFrequency, temporal_frequencies
from models.special_ids import FIRST_PRODUCT

NEVER = -1.0

_ROWS_AT_ONCE = 256
_PRIOR_PURCHASES = 10.0


@dataclass(frozen=True)
class FeatureConfig:
    """How many candidates, and of what neighbours and related products they come."""

    n_candidates: int = 300
    frequency: TemporalFrequency = field(default_factory=TemporalFrequency)
    n_neighbours: int = 300
    recency: int = 10
    asymmetry: float = 0.75
    locality: float = 10.0
    n_related: int = 200
    transition_decay: float = 0.7


@dataclass(frozen=True)
class Candidates:
    """B customers, C candidates each, F features; columns of `features` in the order of FEATURES.

    products: int32 [B, C], own products first, none twice; features: float32 [B, C, F], NEVER in the columns
    OF_PAIR where the customer never bought the product.
    """

    products: np.ndarray
    features: np.ndarray


class CandidateFeatures:
    """Candidates and features of any customer, from a snapshot of everyone's histories.

    Args: everyone: the snapshot; by its number a customer is recognised, and left out of its own neighbours.
    """

    def __init__(self, everyone: BasketSequences, config: FeatureConfig | None = None) -> None:
        self._config, self.n_products = config or FeatureConfig(), everyone.n_products
        self._rows = {customer: row for row, customer in enumerate(everyone.customers.tolist())}
        self._frequencies = temporal_frequencies(everyone, self._config.frequency)
        self._bought = purchases(everyone)
        self._popularity = recent_popularity(everyone, self._config.recency)
        self._similar = product_similarity(self._bought, self._config.n_related)
        self._follows = transitions(everyone, self._config.n_related)
        self._of_products = _of_products(everyone, self._bought)

    def of(self, histories: BasketSequences) -> Candidates:
        """Candidates of every customer; the fewer there are at all, the fewer each has."""
        n_candidates = min(self._config.n_candidates, histories.n_products - FIRST_PRODUCT)
        products = np.empty((len(histories), n_candidates), np.int32)
        features = np.empty((len(histories), n_candidates, len(FEATURES)), np.float32)
        for start in range(0, len(histories), _ROWS_AT_ONCE):
            rows = np.arange(start, min(start + _ROWS_AT_ONCE, len(histories)))
            products[rows], features[rows] = self._block(histories.take(rows), n_candidates)
        return Candidates(products, features)

    def _block(self, histories: BasketSequences, n_candidates: int) -> tuple[np.ndarray, np.ndarray]:
        own, others = _own(histories, self._config.frequency), self._others(histories)
        products = _choose(own["own_count"], others, self._of_products["share"], n_candidates)
        columns = [np.take_along_axis(own[name].toarray(), products, axis=1) for name in OF_PAIR]
        never = columns[0] == 0
        columns = [np.where(never, NEVER, column) for column in columns]
        columns += [np.take_along_axis(others[name], products, axis=1) for name in OF_OTHERS]
        columns += [self._of_products[name][products] for name in OF_PRODUCT]
        of_customers = _of_customers(histories, own["own_count"])
        columns += [np.broadcast_to(of_customers[name][:, None], products.shape) for name in OF_CUSTOMER]
        return products, np.stack(columns, axis=2)

    def _others(self, histories: BasketSequences) -> dict[str, np.ndarray]:
        """Each of OF_OTHERS for every product; float32 [B, V]."""
        excluded = np.array([self._rows.get(customer, -1) for customer in histories.customers.tolist()], np.int64)
        frequencies, bought = temporal_frequencies(histories, self._config.frequency), purchases(histories)
        near = nearest(frequencies, self._frequencies, self._config.n_neighbours, excluded)
        alike = asymmetric_cosine(bought, self._bought, self._config.asymmetry, excluded) ** self._config.locality
        age = histories.age_of_basket
        last = histories.matrix((age == 0) / np.maximum(histories.basket_sizes, 1))
        decayed = histories.matrix(self._config.transition_decay**age)
        return {
            "neighbour_frequency": (near @ self._frequencies).toarray(),
            "neighbour_popularity": alike @ self._popularity,
            "similar_to_own": (decayed @ self._similar).toarray(),
            "follows_last": (last @ self._follows).toarray(),
            "follows_all": (decayed @ self._follows).toarray(),
        }


def _own(histories: BasketSequences, frequency: TemporalFrequency) -> dict[str, sparse.csr_array]:
    """Each of OF_PAIR for the customer's own products; float32 [B, V].

    Regularity is the baskets since the last one with the product, over the mean number from one such to the next.
    """
    counts = histories.matrix()
    customers = np.repeat(np.arange(len(histories)), np.diff(counts.indptr))
    n_baskets = histories.n_baskets[customers]
    latest = histories.latest(counts)
    usual = n_baskets / counts.data

    def with_values(values: np.ndarray) -> sparse.csr_array:
        return sparse.csr_array((values.astype(np.float32), counts.indices, counts.indptr), shape=counts.shape)

    return {
        "own_count": counts,
        "own_share": with_values(counts.data / n_baskets),
        "own_age": with_values(latest),
        "own_regularity": with_values((latest + 1) / usual),
        "own_frequency": temporal_frequencies(histories, frequency),
    }


def _of_products(everyone: BasketSequences, bought: sparse.csr_array) -> dict[str, np.ndarray]:
    """Each of OF_PRODUCT; float32 [V]. Its share of all baskets, of everyone's latest, and how often it is rebought."""
    latest = everyone.age_of_basket[everyone.basket_of_line] == 0
    counts = np.bincount(everyone.product_ids, minlength=everyone.n_products)
    latest_counts = np.bincount(everyone.product_ids[latest], minlength=everyone.n_products)
    # Every purchase but a customer's first is a repetition.
    buyers = np.asarray(bought.sum(axis=0)).ravel()
    overall = (counts.sum() - buyers.sum()) / max(counts.sum(), 1)
    repeat_rate = (counts - buyers + _PRIOR_PURCHASES * overall) / (counts + _PRIOR_PURCHASES)
    shares = {
        "share": counts / max(len(everyone.basket_sizes), 1),
        "latest_share": latest_counts / max(len(everyone), 1),
        "repeat_rate": repeat_rate,
    }
    for values in shares.values():
        values[:FIRST_PRODUCT] = 0.0
    return {name: values.astype(np.float32) for name, values in shares.items()}


def _of_customers(histories: BasketSequences, counts: sparse.csr_array) -> dict[str, np.ndarray]:
    """Each of OF_CUSTOMER; float32 [B]."""
    n_lines, n_products = counts.sum(axis=1), np.diff(counts.indptr)
    sizes = histories.basket_sizes
    values = {
        "n_baskets": histories.n_baskets,
        "n_products": n_products,
        "mean_size": n_lines / histories.n_baskets,
        "last_size": sizes[histories.basket_offsets[1:] - 1],
        "repeat_share": 1.0 - n_products / np.maximum(n_lines, 1.0),
    }
    return {name: each.astype(np.float32) for name, each in values.items()}


def _choose(
    counts: sparse.csr_array, others: dict[str, np.ndarray], share: np.ndarray, n_candidates: int
) -> np.ndarray:
    """Own products, then those with the largest signals, each relative to the customer's largest value of it."""
    totals = np.zeros(counts.shape, np.float32)
    for signal in (*others.values(), np.broadcast_to(share, counts.shape)):
        totals += signal / np.maximum(signal.max(axis=1, keepdims=True), 1e-12)
    totals += (len(others) + 2.0) * (counts.toarray() > 0)
    totals[:, :FIRST_PRODUCT] = -1.0
    best = np.argpartition(-totals, n_candidates - 1, axis=1)[:, :n_candidates]
    order = np.argsort(-np.take_along_axis(totals, best, axis=1), axis=1, kind="stable")
    return np.take_along_axis(best, order, axis=1).astype(np.int32)
