"""The protocol for days until the next basket: predict all gaps that begin within a window of days.

Predicting the last gap of each customer would be biased, because long gaps have no end in the data, and would leak,
because the last day of the data limits its length. Here every gap that begins in the test window counts. A gap that has
not ended by the end of the data is right-censored: it is at least that long. Training and validation use only what was
known on the day before the window: gaps that began earlier, many of them censored on that day.
"""

from dataclasses import dataclass

import numpy as np

from models.basket_sequences import BasketSequences
from models.ragged import offsets_of, ranges
from pipeline.benchmarks.next_basket.last_baskets import histories_of
from pipeline.dataset.histories import Histories

FIRST_TEST, LAST_TEST = 61, 90  # days of the data, counted from 0
SETTLED_AFTER_DAYS = 28
_VALIDATES_ONE_IN = 10


@dataclass(frozen=True)
class Gaps:
    """n gaps: each begins with a basket of a funnel and ends with the next one, or is censored.

    Args:
        histories: the funnels, with at least the baskets up to each gap's beginning.
        funnels: int64 [n], rows of `histories`; ends: int64 [n], one past the basket where the gap begins.
        days: float64 [n], length of the gap; of a censored one the days so far (a basket may still come on that day).
        observed: bool [n], whether the gap ended.
        begun_on: int64 [n], day of the data on which the gap begins, counted from 0.
    """

    histories: Histories
    funnels: np.ndarray
    ends: np.ndarray
    days: np.ndarray
    observed: np.ndarray
    begun_on: np.ndarray

    def __len__(self) -> int:
        return len(self.funnels)

    def take(self, rows: np.ndarray) -> "Gaps":
        """Some of the gaps."""
        parts = (self.funnels, self.ends, self.days, self.observed, self.begun_on)
        return Gaps(self.histories, *(part[rows] for part in parts))

    @property
    def settled(self) -> "Gaps":
        """Gaps that begin when the data hold some weeks: earlier, every customer's history is short."""
        return self.take(np.flatnonzero(self.begun_on >= SETTLED_AFTER_DAYS))


def gaps_of(sequences: BasketSequences, first: int, last: int, known_before: int) -> Gaps:
    """Gaps that begin on day `first` to `last` of the data, as known before day `known_before`.

    Raises: ValueError: for baskets without dates.
    """
    if sequences.sold_on is None:
        raise ValueError("baskets without dates have no days between them")
    start = int(sequences.sold_on.min())
    first, last, known_before = (start + day for day in (first, last, known_before))
    histories = histories_of(_before(sequences, known_before))
    sold_on = histories.sold_on.astype(np.int64)
    begins = np.flatnonzero((sold_on >= first) & (sold_on <= last))
    funnels = np.searchsorted(histories.basket_offsets, begins, side="right") - 1
    ends = begins + 1
    observed = ends < histories.basket_offsets[funnels + 1]
    until = np.where(observed, sold_on[np.minimum(ends, len(sold_on) - 1)], known_before)
    days = (until - sold_on[begins]).astype(np.float64)
    return Gaps(histories, funnels, ends, days, observed, sold_on[begins] - start)


def train_validation_test(sequences: BasketSequences) -> tuple[Gaps, Gaps, Gaps]:
    """Gaps of nine tenths of the customers for training, of the others for validation, and of all for the test.

    Raises: ValueError: for baskets without dates, or for too few days.
    """
    if sequences.sold_on is None:
        raise ValueError("baskets without dates have no days between them")
    n_days = int(sequences.sold_on.max() - sequences.sold_on.min()) + 1
    if n_days <= LAST_TEST:
        raise ValueError(f"{n_days} days of baskets; the last test gaps begin on day {LAST_TEST}")
    known = gaps_of(sequences, 0, FIRST_TEST - 1, FIRST_TEST)
    validates = known.funnels % _VALIDATES_ONE_IN == 0
    test = gaps_of(sequences, FIRST_TEST, LAST_TEST, n_days)
    return known.take(np.flatnonzero(~validates)), known.take(np.flatnonzero(validates)), test


def _before(sequences: BasketSequences, day: int) -> BasketSequences:
    """Baskets before that day, of the customers who had any."""
    assert sequences.sold_on is not None
    kept = np.flatnonzero(sequences.sold_on < day)
    counts = np.bincount(sequences.customer_of_basket[kept], minlength=len(sequences))
    sizes = sequences.basket_sizes[kept]
    lines = ranges(sequences.product_offsets[:-1][kept], sizes)
    return BasketSequences(
        customers=sequences.customers[counts > 0],
        basket_offsets=offsets_of(counts[counts > 0]),
        product_offsets=offsets_of(sizes),
        product_ids=sequences.product_ids[lines],
        n_products=sequences.n_products,
        sold_on=sequences.sold_on[kept],
        quantities=None if sequences.quantities is None else sequences.quantities[lines],
    )
