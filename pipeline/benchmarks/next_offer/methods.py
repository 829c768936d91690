"""Methods that predict the next offer and the bucket of days until it, by name."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

import numpy as np

from models.baselines.frequent_offers import FrequentOffers
from models.names import unknown_name
from models.next_offer_config import OFFER_ARCHITECTURES, NextOfferConfig
from pipeline.benchmarks.next_offer.boosted import BoostedOffers
from pipeline.benchmarks.next_offer.neural import NeuralOffers
from pipeline.benchmarks.next_offer.problems import Problem
from pipeline.dataset.offer_examples import OfferPasts, buckets_of


class OfferMethod(Protocol):
    """A method: trained on the cases whose next event falls before a day, it predicts others."""

    def fit(self, problem: Problem, pasts: OfferPasts, end: int) -> None:
        """Train on the cases before day `end` of the data."""

    def predict(self, rows: np.ndarray) -> np.ndarray:
        """Joint probability of each offer and bucket as of some events; float32 [n, V, K]."""

    def settings(self) -> dict[str, Any]:
        """The configuration, as it is kept beside the scores."""


class OwnThenGlobal:
    """The customer's own offers by how many events they were the dearest of, then everyone's; buckets by their shares.

    Args: own: False ranks everyone's alone.
    """

    def __init__(self, own: bool = True) -> None:
        self._own = own

    def fit(self, problem: Problem, pasts: OfferPasts, end: int) -> None:
        """Count offers and buckets of the training cases."""
        cases, edges = problem.cases(0, end), np.array(problem.edges)
        buckets = buckets_of(cases.days, edges)
        self._pasts = pasts
        self._frequent = FrequentOffers.of_cases(
            cases.offers, buckets, problem.events.n_offers, len(edges) + 1, own=self._own
        )

    def predict(self, rows: np.ndarray) -> np.ndarray:
        """Scores in that order, scaled to sum to one; the order of offers is what counts."""
        return self._frequent.joint(self._pasts.batch(rows))

    def settings(self) -> dict[str, Any]:
        """Whether own offers come first."""
        return {"own": self._own}


CHOSEN = NextOfferConfig()
# What each part adds: the method without it.
_ABLATIONS = {
    "offers-no-sets": replace(CHOSEN, reads_sets=False),
    "offers-no-features": replace(CHOSEN, reads_features=False),
}
_NEURAL = OFFER_ARCHITECTURES | _ABLATIONS

METHODS: dict[str, Callable[[int], OfferMethod]] = {
    "global-top": lambda seed: OwnThenGlobal(own=False),
    "own-then-global": lambda seed: OwnThenGlobal(),
    "boosted": BoostedOffers,
    **{name: partial(NeuralOffers, config) for name, config in _NEURAL.items()},
    "offers-observed-only": lambda seed: NeuralOffers(CHOSEN, seed, waiting=False),
    "offers-x3": lambda seed: NeuralOffers(CHOSEN, seed, members=3),
}


def offer_method(name: str, seed: int) -> OfferMethod:
    """A new method of that name. Raises ValueError for an unknown one, with the known ones."""
    if name not in METHODS:
        raise ValueError(unknown_name("model", name, METHODS))
    return METHODS[name](seed)
