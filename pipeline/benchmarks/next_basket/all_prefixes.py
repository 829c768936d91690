"""Every basket as an example, as the LENS paper trains: a prefix of a customer's baskets, and the basket after it.

`last_baskets.py` takes one basket of each training customer, which is what a test customer is ranked for. Here each
customer gives an example for every basket after the first: of training customers all of them, of the others those that
are known. It needs no candidates, so it is for architectures without a pointer.
"""

from collections.abc import Iterator

import numpy as np

from models.basket_sequences import BasketSequences
from models.keys import keys_of, rows_of
from pipeline.benchmarks.next_basket.last_baskets import histories_of, product_counts, product_keys
from pipeline.dataset.batch import Batch, Cut, pasts, targets
from pipeline.dataset.candidates import CandidateSource
from pipeline.dataset.epoch_order import batch_rows
from pipeline.dataset.examples import UNSEEN_SHARE
from pipeline.dataset.histories import Histories
from pipeline.settings import TrainingSettings


class AllPrefixes:
    """Training data of which each basket that has one before it is an example.

    Args: train: whole sequences; validation: whole, their last baskets are no examples; histories: what is known of the
          test customers; with_customers: each customer has a vector of its own, also those that are tested.
    """

    def __init__(
        self,
        train: BasketSequences,
        validation: BasketSequences,
        histories: BasketSequences,
        cut: Cut,
        settings: TrainingSettings,
        *,
        with_customers: bool,
    ) -> None:
        self._known = BasketSequences.joined([train, validation.without_last(), histories])
        self._histories, self._validation = histories_of(self._known), histories_of(validation)
        first = self._known.basket_offsets[:-1][self._known.customer_of_basket]
        self._positions = np.flatnonzero(np.arange(len(first)) > first)
        self._funnels = self._known.customer_of_basket[self._positions]
        self._cut, self._settings = cut, settings
        self.product_keys = product_keys(train.n_products)
        keys = keys_of(self._histories.ids) if with_customers else np.zeros(0, np.int64)
        self.customer_keys = np.concatenate([np.zeros(1, np.int64), keys])
        self.product_counts = product_counts(self._known)

    @property
    def n_train(self) -> int:
        """Examples of a pass."""
        return len(self._positions)

    def known(self) -> BasketSequences:
        """All baskets but those that are predicted."""
        return self._known

    def steps_per_epoch(self, batch_size: int) -> int:
        """Batches of a pass; the last one is filled up from the beginning."""
        return -(-self.n_train // batch_size)

    def batch(self, step: int, batch_size: int, worker: int = 0, workers: int = 1) -> Batch:
        """Examples in another order every pass; a part of the customers is read as unknown, as a night does."""
        seed = self._settings.seed
        rows = batch_rows(self.n_train, seed, step, batch_size, worker=worker, workers=workers)
        random = np.random.default_rng([seed, step, worker])
        funnels, positions = self._funnels[rows], self._positions[rows]
        batch = self._inputs(self._histories, positions, funnels)
        batch["customer_ids"][random.random(len(rows)) < UNSEEN_SHARE] = 0
        longest, found = self._settings.max_products, batch["candidates"]
        return batch | targets(self._histories, positions, longest, random, candidates=found)

    def validation(self, batch_size: int, worker: int = 0, workers: int = 1) -> Iterator[Batch]:
        """The validation customers' last baskets, whole."""
        ends = self._validation.basket_offsets[1:] - 1
        rows = np.arange(len(ends))[worker::workers]
        for first in range(0, len(rows), batch_size):
            these = rows[first : first + batch_size]
            batch = self._inputs(self._validation, ends[these], these)
            random = np.random.default_rng(first)
            longest, found = np.iinfo(np.int32).max, batch["candidates"]
            yield batch | targets(self._validation, ends[these], longest, random, candidates=found)

    def _inputs(self, histories: Histories, ends: np.ndarray, funnels: np.ndarray) -> Batch:
        candidates = CandidateSource().find(histories, funnels, ends)
        batch = pasts(histories, ends, funnels, self._cut, candidates)
        batch["customer_ids"] = rows_of(keys_of(histories.ids[funnels]), self.customer_keys, missing=0)
        return batch
