"""A customer's past as the steps that a model of style reads: purchases, or orders as sets, with their times."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from models.ragged import offsets_of, positions_within, ranges
from models.style_config import ORDERS, PROFILE_DECAYS, StyleConfig
from models.style_fields import N_TIME_FEATURES, PAST_VECTORS, PROFILES, STEP_TIMES
from pipeline.dataset.purchases import Purchases
from pipeline.task import Batch

_YEAR_DAYS = 365.25
_NOTHING = -1


@dataclass(frozen=True)
class Steps:
    """Steps of B customers, padded to T; the arrays that a model reads, and which purchase or order each step is about.

    units: int64 [B, T], position of the order, or of the purchase, that the step predicts; -1 for padding and for a
    step that nothing follows; times: float64 [B, T]; lengths: int64 [B].
    """

    arrays: Batch
    units: np.ndarray
    times: np.ndarray
    lengths: np.ndarray


class Histories:
    """Steps of customers from their purchases.

    Args: vectors: float32 [V, D] of the articles; seasons: whether the time of the year is read, which needs more
          than a year of history to mean something.
    """

    def __init__(self, purchases: Purchases, vectors: np.ndarray, config: StyleConfig, *, seasons: bool) -> None:
        self.purchases, self.vectors, self.config, self._seasons = purchases, vectors, config, seasons
        self.order_starts = np.flatnonzero(np.diff(purchases.orders, prepend=-1))
        self.order_sizes = np.diff(np.append(self.order_starts, len(purchases)))
        self.order_times = purchases.times[self.order_starts]
        self.order_customers = purchases.customers[self.order_starts]
        self.order_offsets = offsets_of(np.bincount(self.order_customers, minlength=purchases.n_customers))
        self.order_of_purchase = np.repeat(np.arange(len(self.order_starts)), self.order_sizes)
        self._sums = self._order_sums() if config.reads == ORDERS else None

    def lengths(self, customers: np.ndarray) -> np.ndarray:
        """How many steps each customer has; int64 [B]."""
        offsets = self.order_offsets if self.config.reads == ORDERS else self.purchases.offsets
        return np.minimum(np.diff(offsets)[customers], self.config.max_steps)

    def read(self, customers: np.ndarray, random: np.random.Generator, at: float | None = None) -> Steps:
        """The latest steps of some customers.

        What was bought at one time has no order: where purchases are the steps, it is shuffled afresh.

        Args: at: time of a further, last step, which predicts what comes next; None: without one.
        """
        more = 0 if at is None else 1
        offsets = self.order_offsets if self.config.reads == ORDERS else self.purchases.offsets
        every = np.diff(offsets)[customers]
        # One more is read than is predicted: the first step that is kept then knows the one before.
        kept = np.minimum(every, self.config.max_steps)
        read = np.minimum(every, kept + 1 - more)
        units = ranges(offsets[customers + 1] - read, read)
        if self.config.reads != ORDERS:
            units = self._shuffled(units, np.repeat(np.arange(len(customers)), read), random)
        return self._steps(customers, units, read, np.minimum(every + more, self.config.max_steps), at)

    def _shuffled(self, units: np.ndarray, rows: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Purchases, those of one order in a random order."""
        order = np.lexsort((random.random(len(units)), self.order_of_purchase[units], rows))
        return units[order]

    def _steps(
        self, customers: np.ndarray, units: np.ndarray, read: np.ndarray, lengths: np.ndarray, at: float | None
    ) -> Steps:
        """The arrays of steps, from the units that were read of each customer."""
        n, wide = len(customers), max(int(read.max(initial=0)), 1)
        place = np.repeat(np.arange(n), read), positions_within(read)
        of_orders = self.config.reads == ORDERS
        sums = np.zeros((n, wide, self.vectors.shape[1]), np.float32)
        sums[place] = self._sums[units] if self._sums is not None else self.vectors[self.purchases.items[units]]
        sizes = np.zeros((n, wide), np.float32)
        sizes[place] = self.order_sizes[units] if of_orders else 1.0
        times = np.zeros((n, wide + 1))
        times[place] = self.order_times[units] if of_orders else self.purchases.times[units]
        if at is not None:
            times[np.arange(n), read] = at
        known = np.full((n, wide + 1), _NOTHING, np.int64)
        known[place] = units
        # Step i predicts unit i + shift of those that were read, and reads the one before it.
        steps = np.arange(max(int(lengths.max(initial=0)), 1))
        index = steps + (read + (at is not None) - lengths)[:, None]
        valid = steps < lengths[:, None]
        index = np.where(valid, index, wide)
        padded = _Padded(sums, sizes, times, index, valid)
        arrays = {PAST_VECTORS: padded.past_means(), STEP_TIMES: padded.time_features(self._seasons)}
        if self.config.profiles:
            arrays[PROFILES] = padded.profiles()
        now = np.take_along_axis(times, index, axis=1)
        predicted = np.where(valid, np.take_along_axis(known, index, axis=1), _NOTHING)
        return Steps({name: each.astype(np.float32) for name, each in arrays.items()}, predicted, now, lengths)

    def _order_sums(self) -> np.ndarray:
        """Sum of the vectors of each order's articles; float32 [orders, D]."""
        ends = np.append(self.order_starts, len(self.purchases))
        ones = np.ones(len(self.purchases), np.float32)
        shape = len(self.order_starts), self.purchases.n_items
        matrix = sparse.csr_matrix((ones, self.purchases.items, ends), shape=shape)
        return np.asarray(matrix @ self.vectors, np.float32)


@dataclass(frozen=True)
class _Padded:
    """Units read of B customers, padded to W, and which of them each of T steps predicts.

    sums: float32 [B, W, D] of the vectors of each unit's articles; sizes: float32 [B, W]; times: float64 [B, W + 1];
    index: int64 [B, T], the unit, W for padding; valid: bool [B, T].
    """

    sums: np.ndarray
    sizes: np.ndarray
    times: np.ndarray
    index: np.ndarray
    valid: np.ndarray

    @property
    def has_before(self) -> np.ndarray:
        """Whether a step has one before it; bool [B, T]."""
        found: np.ndarray = self.valid & (self.index > 0)
        return found

    @property
    def before(self) -> np.ndarray:
        """The unit before each step's, 0 where there is none."""
        return np.where(self.has_before, self.index - 1, 0)

    def past_means(self) -> np.ndarray:
        """Mean vector of the unit before each step, zeros at the first; float32 [B, T, D]."""
        means = self.sums / np.maximum(self.sizes, 1.0)[..., None]
        return np.take_along_axis(means, self.before[..., None], axis=1) * self.has_before[..., None]

    def time_features(self, seasons: bool) -> np.ndarray:
        """TIME_FEATURES of each step; all of the unit before are 0 at the first."""
        has_before = self.has_before
        now = np.take_along_axis(self.times, self.index, axis=1)
        before = np.where(has_before, np.take_along_axis(self.times, self.before, axis=1), now)
        features = np.zeros((*now.shape, N_TIME_FEATURES), np.float32)
        features[..., 0] = self.valid & ~has_before
        features[..., 1] = np.log1p(np.maximum(now - before, 0.0)) / 3.0
        features[..., 2] = np.log1p(np.take_along_axis(self.sizes, self.before, axis=1)) * has_before / 3.0
        if seasons:
            for column, times in ((3, now), (5, before)):
                features[..., column] = np.sin(2 * np.pi * times / _YEAR_DAYS)
                features[..., column + 1] = np.cos(2 * np.pi * times / _YEAR_DAYS)
            features[..., 5:] *= has_before[..., None]
        return features * self.valid[..., None]

    def profiles(self) -> np.ndarray:
        """Means of the vectors bought before each step, a purchase counting less with age; float32 [B, T, J, D]."""
        wide = self.sums.shape[1]
        earlier = self.valid[..., None] & (np.arange(wide) < self.index[..., None])
        now = np.take_along_axis(self.times, self.index, axis=1)
        age = np.maximum(now[..., None] - self.times[:, None, :wide], 0.0)
        found = []
        for days in PROFILE_DECAYS:
            weight = (np.exp(-age / days) * earlier).astype(np.float32)
            found.append((weight @ self.sums) / (1.0 + weight @ self.sizes[..., None]))
        return np.stack(found, axis=2)
