"""Training and held-out examples, streamed from the sequences table.

The last `holdout_days` before the business date are kept from training. A training example is a past and the basket
after it, both before that day; each epoch draws two such places per customer, so that prefixes grow and shrink from
epoch to epoch and frequent customers do not drown the others. A held-out example is everything before that day and the
first basket on or after it. Validation, which decides when training stops, must not look at the held-out days: it takes
the last training basket of a few customers, which then is never a training target.

Where the architecture reads risks, one more place of a customer is the end of those baskets: what comes next is not
known yet, but how long it has not come. Without it only gaps that ended would be seen, which are the short ones.

A batch is a pure function of (seed, step), and the same whatever the number of workers, who take disjoint slices of it:
a worker that is killed and started again computes what it would have computed. One Parquet row group is in memory at a
time: an epoch takes row groups in random order and customers of a row group in random order.

Only customers train the model. A store's day holds hundreds of products; stores are forecast from their frequencies.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow.parquet as pq

from models.basket_sequences import BasketSequences
from models.catalog import ARCHITECTURES
from models.days import epoch_day
from models.folds import folds_of
from models.keys import keys_of, rows_of
from models.ragged import ranges
from models.refusal import Refusal
from pipeline.dataset.batch import Batch, Cut, pasts, targets
from pipeline.dataset.candidates import CandidateSource, sampled_histories, snapshot_of
from pipeline.dataset.histories import Histories, read_part
from pipeline.dataset.training_places import Places, customer_baskets, held_out_positions, training_places
from pipeline.dataset.vocabulary import read_product_keys
from pipeline.settings import TrainingSettings
from pipeline.tables.vocabulary import END_INDEX, UNKNOWN_INDEX
from pipeline.task import TrainingData

_EPOCH, _STEP, _WHOLE = 1, 2, 3  # streams of random numbers
UNSEEN_SHARE = 0.1
"""Training examples whose customer is withheld."""
_UNKNOWN_SHARE = 0.05  # products read as unknown in training
_MOST_VALIDATION = 2048  # examples


@dataclass(frozen=True)
class _Block:
    """One row group of one file and how many examples it holds."""

    path: Path
    row_group: int
    n_train: int
    n_held_out: int
    n_validation: int


class LensTrainingData(TrainingData, Protocol):
    """Training data that says what LENS is built from, too."""

    @property
    def product_keys(self) -> np.ndarray:
        """int64 [V]; the key of each product index, 0 for special ones."""

    @property
    def customer_keys(self) -> np.ndarray:
        """int64 [C]; the key of each customer index, 0 first."""

    @property
    def product_counts(self) -> np.ndarray:
        """[V]; training baskets with each product; at END, training baskets."""

    def known(self) -> BasketSequences:
        """Baskets from which product vectors may start, none of them a target that is held out."""


@dataclass(frozen=True)
class Waits:
    """Customers who wait for a basket at the beginning of the held-out days.

    batch: model input, without candidates; elapsed_days: int64 [B], since the last basket;
    days: int64 [B], full days of the window without a basket; has_come: bool [B], whether one came in the window.
    """

    batch: Batch
    elapsed_days: np.ndarray
    days: np.ndarray
    has_come: np.ndarray


class NextBasketExamples:
    """Examples of one version of `sequences`, as of one business date."""

    def __init__(
        self,
        *,
        blocks: list[_Block],
        cutoff: int,
        settings: TrainingSettings,
        product_keys: np.ndarray,
        customer_keys: np.ndarray,
        product_counts: np.ndarray,
    ) -> None:
        self._blocks, self._cutoff, self._settings = blocks, cutoff, settings
        self.product_keys = product_keys
        self.customer_keys = customer_keys
        self.product_counts = product_counts
        self._cut = Cut(settings.max_baskets, settings.max_products)
        self.memory = self._memory()
        self._histories = lru_cache(maxsize=1)(self._read)
        self._plan = lru_cache(maxsize=2)(self._plan_epoch)

    @classmethod
    def open(
        cls, sequences: Path, vocabulary: Path, business_date: date, settings: TrainingSettings
    ) -> "NextBasketExamples":
        """Read the whole table once, a row group at a time, to count examples, products and customers.

        Raises: Refusal: if no customer has two baskets before the held-out days.
        """
        cutoff = epoch_day(business_date - timedelta(days=settings.holdout_days))
        product_keys = read_product_keys(vocabulary)
        counts = np.zeros(len(product_keys), np.int64)
        blocks: list[_Block] = []
        customers: list[np.ndarray] = [np.zeros(1, np.int64)]
        for path in sorted(sequences.rglob("*.parquet")):
            for row_group in range(pq.ParquetFile(path).num_row_groups):
                histories = read_part(path, row_group)
                places, validation = training_places(histories, cutoff, waits=_waits(settings))
                held_out = held_out_positions(histories, cutoff)
                trained = np.unique(places.funnels)
                blocks.append(_Block(path, row_group, places.n_drawn, len(held_out), len(validation)))
                customers.append(keys_of(histories.ids[trained]))
                counts += _count(histories, cutoff, len(counts))
        if sum(block.n_train for block in blocks) == 0:
            raise Refusal(
                f"{sequences} has no customer with two baskets before {business_date} - {settings.holdout_days} days: "
                "nothing to train on; deliver more days or lower training.holdout_days"
            )
        return cls(
            blocks=blocks,
            cutoff=cutoff,
            settings=settings,
            product_keys=product_keys,
            customer_keys=np.concatenate(customers),
            product_counts=counts,
        )

    @property
    def n_train(self) -> int:
        """Training examples of an epoch: two of each customer who has as many."""
        return sum(block.n_train for block in self._blocks)

    @property
    def n_held_out(self) -> int:
        """Held-out examples."""
        return sum(block.n_held_out for block in self._blocks)

    @property
    def window_days(self) -> int:
        """Days that are held out."""
        return self._settings.holdout_days

    def known(self) -> BasketSequences:
        """Customers' baskets before the held-out days, of as many as are remembered."""
        parts = (read_part(block.path, block.row_group) for block in self._blocks)
        return sampled_histories(parts, self._cutoff, len(self.product_keys), self._settings.memory_customers)

    def steps_per_epoch(self, batch_size: int) -> int:
        """Batches of an epoch; the last one of a row group is filled up from its beginning."""
        return sum(-(-block.n_train // batch_size) for block in self._blocks)

    def batch(self, step: int, batch_size: int, worker: int = 0, workers: int = 1) -> Batch:
        """One worker's slice of the batch of a step, counted from 0 over all epochs."""
        epoch, within = divmod(step, self.steps_per_epoch(batch_size))
        block, drawn = self._plan(epoch, batch_size)[within]
        histories = self._histories(block)
        random = np.random.default_rng([self._settings.seed, _STEP, step, worker])
        mine = drawn.take(np.arange(worker, len(drawn.positions), workers))
        ended = np.isnan(mine.waited)
        candidates = self.memory.find(histories, mine.funnels, mine.positions, needed=ended)
        batch = pasts(histories, mine.positions, mine.funnels, self._cut, candidates)
        keys = keys_of(histories.ids[mine.funnels])
        batch["folds"] = folds_of(keys)
        batch["customer_ids"] = rows_of(keys, self.customer_keys, missing=0)
        batch["customer_ids"][random.random(len(batch["customer_ids"])) < UNSEEN_SHARE] = 0
        hidden = random.random(batch["product_ids"].shape) < _UNKNOWN_SHARE
        batch["product_ids"][hidden & (batch["product_ids"] > 0)] = UNKNOWN_INDEX
        longest, found = self._settings.max_products, batch["candidates"]
        return batch | targets(histories, mine.positions, longest, random, waited=mine.waited, candidates=found)

    def held_out(
        self, batch_size: int, cut: Cut | None = None, limit: int | None = None, memory: CandidateSource | None = None
    ) -> Iterator[Batch]:
        """All held-out examples (or the first `limit`) in a fixed order, their baskets whole.

        Args:
            cut: how much of the past is shown; by default what training shows.
            memory: what names candidates; by default everyone's baskets before the held-out days.
        """
        for number in range(len(self._blocks)):
            positions = held_out_positions(self._histories(number), self._cutoff)[:limit]
            limit = None if limit is None else limit - len(positions)
            yield from self._whole(number, positions, batch_size, cut or self._cut, memory or self.memory)

    def waits(self, batch_size: int, limit: int) -> Iterator[Waits]:
        """The first `limit` customers who wait for a basket when the held-out days begin, in a fixed order.

        Those with two baskets before: of the others the table holds only customers who came back since.
        """
        for number in range(len(self._blocks)):
            histories = self._histories(number)
            ends = histories.baskets_before(self._cutoff)
            several = ends - histories.basket_offsets[:-1] > 1
            funnels = np.flatnonzero(several & (histories.kinds == "customer"))[:limit]
            limit -= len(funnels)
            for first in range(0, len(funnels), batch_size):
                rows = funnels[first : first + batch_size]
                yield self._waits(histories, rows, ends[rows])

    def training_gaps(self) -> tuple[np.ndarray, np.ndarray]:
        """Days between baskets as of the first held-out day, and whether each gap has ended; of the same customers."""
        days, ended = [], []
        for number in range(len(self._blocks)):
            histories = self._histories(number)
            ends, starts = histories.baskets_before(self._cutoff), histories.basket_offsets[:-1]
            chosen = np.flatnonzero((ends - starts > 1) & (histories.kinds == "customer"))
            baskets = ranges(starts[chosen], ends[chosen] - starts[chosen])
            last = np.zeros(len(histories.sold_on), bool)
            last[ends[chosen] - 1] = True
            sold_on = np.append(histories.sold_on, self._cutoff)
            days.append(np.where(last[baskets], self._cutoff, sold_on[baskets + 1]) - sold_on[baskets])
            ended.append(~last[baskets])
        return np.concatenate(days), np.concatenate(ended)

    def _waits(self, histories: Histories, funnels: np.ndarray, ends: np.ndarray) -> Waits:
        nothing = np.zeros(len(ends), bool)
        batch = pasts(histories, ends, funnels, self._cut, self.memory.find(histories, funnels, ends, needed=nothing))
        batch["customer_ids"] = self._customers(histories, funnels)
        elapsed = self._cutoff - histories.sold_on[ends - 1]
        batch["elapsed_days"] = elapsed.astype(np.float32)
        came = ends < histories.basket_offsets[funnels + 1]
        next_day = histories.sold_on[np.minimum(ends, len(histories.sold_on) - 1)]
        days = np.where(came, next_day - self._cutoff, self._settings.holdout_days)
        return Waits(batch, elapsed.astype(np.int64), days.astype(np.int64), came)

    def validation(self, batch_size: int, worker: int = 0, workers: int = 1) -> Iterator[Batch]:
        """One worker's part of the validation examples in a fixed order; it may be empty."""
        left = _MOST_VALIDATION
        for number, block in enumerate(self._blocks):
            if left == 0 or block.n_validation == 0:
                continue
            positions = training_places(self._histories(number), self._cutoff, waits=False)[1][:left]
            left -= len(positions)
            yield from self._whole(number, positions[worker::workers], batch_size, self._cut, self.memory)

    def _whole(
        self, number: int, positions: np.ndarray, batch_size: int, cut: Cut, memory: CandidateSource
    ) -> Iterator[Batch]:
        """Examples of given targets, their baskets whole, always in one order; pasts of similar length together.

        Where the target is held out, no basket came until the held-out days.
        """
        histories = self._histories(number)
        funnels = np.searchsorted(histories.basket_offsets, positions, side="right") - 1
        order = np.argsort(positions - histories.basket_offsets[funnels], kind="stable")
        for first in range(0, len(order), batch_size):
            rows = order[first : first + batch_size]
            candidates = memory.find(histories, funnels[rows], positions[rows])
            batch = pasts(histories, positions[rows], funnels[rows], cut, candidates)
            batch["customer_ids"] = self._customers(histories, funnels[rows])
            waited = self._cutoff - histories.sold_on[positions[rows] - 1]
            is_held_out = histories.sold_on[positions[rows]] >= self._cutoff
            batch["elapsed_days"] = np.where(is_held_out, waited, 0).astype(np.float32)
            random = np.random.default_rng([_WHOLE, number, first])
            longest, found = np.iinfo(np.int32).max, batch["candidates"]
            yield batch | targets(histories, positions[rows], longest, random, candidates=found)

    def _memory(self) -> CandidateSource:
        """Snapshots as of the first held-out day, and as of some days before it for the training examples."""
        settings = self._settings
        if not ARCHITECTURES[settings.architecture].uses_neighbours or settings.memory_customers == 0:
            return CandidateSource()
        days, snapshots = [], []
        for before in range(settings.memory_snapshots, -1, -1):
            day = self._cutoff - before * settings.holdout_days
            parts = (read_part(block.path, block.row_group) for block in self._blocks)
            known = sampled_histories(parts, day, len(self.product_keys), settings.memory_customers)
            if len(known) > 0:
                days.append(day)
                snapshots.append(snapshot_of(known, settings.candidates))
        return CandidateSource(snapshots, np.array(days))

    def _customers(self, histories: Histories, funnels: np.ndarray) -> np.ndarray:
        return rows_of(keys_of(histories.ids[funnels]), self.customer_keys, missing=0)

    def _read(self, number: int) -> Histories:
        return read_part(self._blocks[number].path, self._blocks[number].row_group)

    def _plan_epoch(self, epoch: int, batch_size: int) -> list[tuple[int, Places]]:
        """Row group and places of every batch of an epoch."""
        order = np.random.default_rng([self._settings.seed, _EPOCH, epoch]).permutation(len(self._blocks))
        plan: list[tuple[int, Places]] = []
        for number in order:
            if self._blocks[number].n_train == 0:
                continue
            random = np.random.default_rng([self._settings.seed, _EPOCH, epoch, int(number)])
            histories = self._histories(int(number))
            drawn = training_places(histories, self._cutoff, waits=_waits(self._settings))[0].draw(random)
            plan += [(int(number), drawn.take(rows)) for rows in _full_batches(len(drawn.positions), batch_size)]
        return plan


def _waits(settings: TrainingSettings) -> bool:
    """Whether the architecture learns from gaps that have not ended."""
    return ARCHITECTURES[settings.architecture].time_head == "hazard"


def _count(histories: Histories, cutoff: int, n_products: int) -> np.ndarray:
    """Customers' baskets before the cutoff with each product; at END, those baskets."""
    _, customer = customer_baskets(histories)
    counted = customer & (histories.sold_on < cutoff)
    lines = np.repeat(counted, np.diff(histories.product_offsets))
    counts = np.bincount(histories.product_ids[lines], minlength=n_products)
    counts[END_INDEX] = counted.sum()
    return counts


def _full_batches(n: int, batch_size: int) -> np.ndarray:
    """Batches of n examples in turn, [batches, batch_size]; the last one is filled up from the beginning.

    Not sorted by size: a batch of baskets of one size would teach RMSprop, which forgets within ten batches, that all
    baskets end there.
    """
    return (np.arange(-(-n // batch_size) * batch_size) % n).reshape(-1, batch_size)
