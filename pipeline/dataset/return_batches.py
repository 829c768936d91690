"""Batches of order lines: the customer's orders up to the line's own, and what is known of the line."""

from collections.abc import Iterator

import numpy as np

from models import fields
from models.ragged import ranges
from models.returns.config import PAST_ORDER, THIS_ORDER
from pipeline.dataset.action_examples import attribute_hashes
from pipeline.dataset.epoch_order import batch_rows
from pipeline.dataset.item_history import ItemHistory
from pipeline.dataset.order_lines import OrderLines
from pipeline.dataset.return_features import ORDER_NUMBERS, line_features
from pipeline.dataset.running_sums import RunningSums
from pipeline.task import Batch

_HOUR = 3600.0
_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday


class ReturnPasts:
    """What is known of each line when its order is placed.

    Args: lines: of some customers, whole; history: of everyone; longest_past: orders that are read.
    """

    def __init__(self, lines: OrderLines, history: ItemHistory, longest_past: int) -> None:
        self.lines, self._longest = lines, longest_past
        self.features = line_features(lines, history)
        n = len(lines.times)
        self._units = np.bincount(lines.orders, lines.units, n)
        self._numbers = np.zeros((n, len(ORDER_NUMBERS)), np.float32)
        self._numbers[:, 0] = np.log1p(np.diff(lines.line_offsets))
        self._numbers[:, 1] = np.log1p(np.bincount(lines.orders, lines.cents, n) / 100.0)
        self._returned = RunningSums(lines.orders[lines.return_lines], lines.return_times, units=lines.return_units)
        self._of_order = lines.attribute_hashes
        described = history.words
        items = history.items_of(lines.products)
        words = [described.words[described.rows[described.offsets[at] : described.offsets[at + 1]]] for at in items]
        of_product = [[f"product={name}", *each] for name, each in zip(lines.products, words, strict=True)]
        self._of_product = attribute_hashes(of_product)

    def batch(self, rows: np.ndarray) -> Batch:
        """Inputs of the model for some lines."""
        lines = self.lines
        own = lines.orders[rows]
        length = np.minimum(lines.order_positions[own] + 1, self._longest)
        shape = (len(rows), int(length.max(initial=1)))
        past = ranges(own - length + 1, length)
        example = np.repeat(np.arange(len(rows)), length)
        step = np.arange(len(past)) - np.repeat(np.cumsum(length) - length, length)

        def padded(values: np.ndarray, kind: type = np.float32) -> np.ndarray:
            found = np.zeros((*shape, *values.shape[1:]), kind)
            found[example, step] = values
            return found

        is_first = step == 0
        hours = lines.times[past] / _HOUR
        gaps = np.where(is_first, 0.0, np.diff(hours, prepend=0.0))
        numbers = self._numbers[past]
        back = self._returned.before("units", past, lines.times[own][example]) / np.maximum(self._units[past], 1e-9)
        numbers[:, 2], numbers[:, 3] = back, back > 0
        first = np.cumsum(length) - length
        return {
            fields.EVENT_IDS: padded(np.where(past == own[example], THIS_ORDER, PAST_ORDER), np.int32),
            fields.EVENT_GAP_HOURS: padded(gaps),
            fields.EVENT_ELAPSED_HOURS: padded(hours - hours[first][example] if len(past) else hours),
            fields.EVENT_LOCAL_HOURS: padded(lines.hours[past]),
            fields.EVENT_WEEKDAYS: padded((lines.days[past] + _EPOCH_WEEKDAY) % 7),
            # No date is read: what is predicted lies beyond all dates of the training.
            fields.EVENT_DAYS: np.zeros(shape, np.float32),
            fields.EVENT_NUMBERS: padded(numbers),
            fields.ATTRIBUTES: np.concatenate([self._of_order[own], self._of_product[lines.items[rows]]], axis=1),
            fields.NUMBERS: self.features.numbers[rows],
        }


class ReturnData:
    """Training data of returns; batches are a pure function of seed and step.

    Args: train, validation: rows of lines whose window is over; returned: bool, of each line, where it is over.
    """

    def __init__(
        self, pasts: ReturnPasts, train: np.ndarray, validation: np.ndarray, returned: np.ndarray, seed: int
    ) -> None:
        self.pasts, self.train = pasts, train
        self._validation, self._returned, self._seed = validation, returned, seed

    @property
    def learned(self) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of the training lines, and whether each came back; float32 [n, K], bool [n]."""
        return self.pasts.features.numbers[self.train], self._returned[self.train]

    @property
    def validation_rows(self) -> np.ndarray:
        """Lines of the customers who validate; int64 [n]."""
        return self._validation

    def returned_of(self, rows: np.ndarray) -> np.ndarray:
        """Whether each of some lines came back; bool [n]."""
        found: np.ndarray = self._returned[rows]
        return found

    def steps_per_epoch(self, batch_size: int) -> int:
        """Batches of an epoch; the last one is filled up from the beginning."""
        return -(-len(self.train) // batch_size)

    def batch(self, step: int, batch_size: int, worker: int = 0, workers: int = 1) -> Batch:
        """Lines in another order every epoch."""
        chosen = batch_rows(len(self.train), self._seed, step, batch_size, worker=worker, workers=workers)
        return self.with_targets(self.train[chosen])

    def validation(self, batch_size: int, worker: int = 0, workers: int = 1) -> Iterator[Batch]:
        """One worker's part of the validation lines."""
        rows = self._validation[worker::workers]
        for first in range(0, len(rows), batch_size):
            yield self.with_targets(rows[first : first + batch_size])

    def with_targets(self, rows: np.ndarray) -> Batch:
        """Inputs of some lines, and whether they came back."""
        return self.pasts.batch(rows) | {fields.TARGET_RETURNED: self._returned[rows].astype(np.float32)}
