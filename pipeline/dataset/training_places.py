"""Where a customer's history may be cut into a past and the basket after it."""

from dataclasses import dataclass

import numpy as np

from models.keys import keys_of
from models.ragged import positions_within
from pipeline.dataset.histories import Histories

PLACES_PER_EPOCH = 2  # targets drawn per customer
_VALIDATION_ONE_IN = 20  # customers whose last training basket validates


@dataclass(frozen=True)
class Places:
    """Where examples may be cut, funnel after funnel or in an order drawn.

    Args: positions: of the target among all baskets; funnels: whose it is; waited: NaN, or where the target is still to
          come the days without it since the last basket.
    """

    positions: np.ndarray
    funnels: np.ndarray
    waited: np.ndarray

    def take(self, rows: np.ndarray) -> "Places":
        """Some of them."""
        return Places(self.positions[rows], self.funnels[rows], self.waited[rows])

    def draw(self, random: np.random.Generator) -> "Places":
        """Two different places of each funnel, fewer where it has fewer, all in random order."""
        rank = positions_within(np.bincount(self.funnels))
        order = np.lexsort((random.random(len(self.funnels)), self.funnels))
        return self.take(random.permutation(order[rank < PLACES_PER_EPOCH]))

    @property
    def n_drawn(self) -> int:
        """Examples of an epoch."""
        return int(np.minimum(np.bincount(self.funnels), PLACES_PER_EPOCH).sum())


def customer_baskets(histories: Histories) -> tuple[np.ndarray, np.ndarray]:
    """The funnel of each basket, and whether that funnel is a customer."""
    funnel = np.repeat(np.arange(len(histories)), np.diff(histories.basket_offsets))
    return funnel, (histories.kinds == "customer")[funnel]


def training_places(histories: Histories, cutoff: int, *, waits: bool) -> tuple[Places, np.ndarray]:
    """Where training examples may be cut, and targets of validation: among baskets of customers before the cutoff.

    Targets have a past and a known product. A validation customer gives the last such basket, if there is another.
    With `waits`, the end of the baskets is a place too, for customers who had come back at least once by then: of the
    others the table holds only those who came back later, which must not be known.
    """
    funnel, customer = customer_baskets(histories)
    first = np.zeros(len(funnel), bool)
    first[histories.basket_offsets[:-1][np.diff(histories.basket_offsets) > 0]] = True
    allowed = np.flatnonzero(customer & ~first & (histories.sold_on < cutoff) & (histories.known_lines > 0))
    counts = np.bincount(funnel[allowed], minlength=len(histories))
    validates = (keys_of(histories.ids) % _VALIDATION_ONE_IN == 0) & (counts > 1)
    last = (np.cumsum(counts) - 1)[validates]
    kept = np.delete(allowed, last)
    ends = histories.baskets_before(cutoff)
    waiting = np.flatnonzero(waits & (histories.kinds == "customer") & (ends - histories.basket_offsets[:-1] > 1))
    found = Places(
        np.concatenate([kept, ends[waiting]]),
        np.concatenate([funnel[kept], waiting]),
        np.concatenate([np.full(len(kept), np.nan), cutoff - histories.sold_on[ends[waiting] - 1]]),
    )
    return found.take(np.argsort(found.funnels, kind="stable")), allowed[last]


def held_out_positions(histories: Histories, cutoff: int) -> np.ndarray:
    """Position of each customer's first basket on or after the cutoff, where there is a past and one line is known."""
    ends = histories.baskets_before(cutoff)
    has_both = (ends > histories.basket_offsets[:-1]) & (ends < histories.basket_offsets[1:])
    positions = ends[has_both & (histories.kinds == "customer")]
    return positions[histories.known_lines[positions] > 0]
