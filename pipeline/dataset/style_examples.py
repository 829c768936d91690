"""Training batches of styles: purchases against what was in store at that moment and was not bought."""

from collections.abc import Iterator

import numpy as np

from models.ragged import ranges
from models.style_config import ORDERS
from models.style_fields import (
    CANDIDATE_OWN,
    CANDIDATE_SIGNALS,
    CANDIDATE_VECTORS,
    CANDIDATE_WEIGHTS,
    N_VIEW_SIGNALS,
    ROWS,
    VIEWED,
)
from pipeline.dataset.purchases import Assortment, Purchases, SoldAssortment
from pipeline.dataset.style_signals import OWN_SIGNALS, ItemSignals, PairSignals, own_signals
from pipeline.dataset.style_steps import Histories, Steps
from pipeline.dataset.style_views import RecentViews, view_signals, viewed_means
from pipeline.task import Batch

BOUGHT_OF_ORDER = 6
_MOST_WEIGHT = 5.0
_SORTED_BATCHES = 20
_ENOUGH = 0.7
KNOWN_AHEAD_DAYS, HORIZON_DAYS = 38.0, 8
N_OWN = len(OWN_SIGNALS)


class StyleExamples:
    """Every step of every customer; a batch holds whole customers, of similar numbers of steps.

    What is in store and how it sells is read as of some days before each purchase, as a ranking is for some days ahead.
    Where sales alone say what was in store, steps near the end are read and not learned, as long as most others are
    left: an article in store that sells only later is not known there.

    Args: histories: their purchases alone are read; end: first day that is not known; numbers: float32 [V, m], of the
          articles, scaled; customers: whose steps are learned, by default everyone's. They should not be among those
          of whom the article vectors were learned: such vectors know what they are going to buy; views: what
          customers looked at, None or empty: not read. Like sales, views are read as of some days before.
    """

    def __init__(
        self,
        histories: Histories,
        assortment: Assortment,
        end: float,
        numbers: np.ndarray,
        *,
        customers: np.ndarray | None = None,
        seed: int = 0,
        views: Purchases | None = None,
    ) -> None:
        self.histories, self.assortment, self._seed = histories, assortment, seed
        self.signals = PairSignals(ItemSignals(histories.purchases), numbers)
        self._views = RecentViews(views) if views is not None and len(views) and histories.config.signals else None
        self._compared = None if histories.config.unsold_negatives else histories.purchases.sold()
        times = histories.order_times
        early = end - KNOWN_AHEAD_DAYS
        enough = (times < early).mean() >= _ENOUGH
        self.learned_until = early if isinstance(assortment, SoldAssortment) and enough else end
        every = np.unique(histories.purchases.customers)
        self._customers = every if customers is None else np.intersect1d(every, customers)
        self._lengths = histories.lengths(self._customers)
        self._drawn: tuple[tuple[int, int], list[np.ndarray]] | None = None

    @property
    def reads_views(self) -> bool:
        """Whether there are views to read."""
        return self._views is not None

    @property
    def n_own(self) -> int:
        """Columns of CANDIDATE_OWN."""
        return N_OWN + (N_VIEW_SIGNALS if self.reads_views else 0)

    def steps_per_epoch(self, batch_size: int) -> int:
        """Batches of an epoch; `batch_size` counts customers."""
        return -(-len(self._customers) // batch_size)

    def batch(self, step: int, batch_size: int, worker: int = 0, workers: int = 1) -> Batch:
        """One worker's slice of the batch of a step."""
        epoch, number = divmod(step, self.steps_per_epoch(batch_size))
        if self._drawn is None or self._drawn[0] != (epoch, batch_size):
            self._drawn = (epoch, batch_size), self._order(epoch, batch_size)
        customers = self._drawn[1][number][worker::workers]
        random = np.random.default_rng([self._seed, step, worker])
        return self.candidates(self.histories.read(customers, random), customers, random)

    def validation(self, batch_size: int, worker: int = 0, workers: int = 1) -> Iterator[Batch]:
        """None: the held-out days measure a model."""
        return iter(())

    def candidates(self, steps: Steps, customers: np.ndarray, random: np.random.Generator) -> Batch:
        """The steps that are learned, with what was bought and what was not."""
        config, histories = self.histories.config, self.histories
        learned = steps.units >= 0
        learned &= steps.times < self.learned_until
        if config.reads != ORDERS and config.first_of_order:
            learned &= self._begins_order(steps.units)
        rows, columns = np.nonzero(learned)
        units, width = steps.units[rows, columns], steps.units.shape[1]
        orders = units if config.reads == ORDERS else histories.order_of_purchase[units]
        bought, weights = self._bought(units, random)
        days = np.floor(histories.order_times[orders]).astype(int) - random.integers(0, HORIZON_DAYS, len(orders))
        others = self._others(days, random)
        weights = weights * (1.0 + (config.new_weight - 1.0) * self._never_sold(bought, days))
        weights = np.concatenate([weights, self._not_bought(others, orders)], axis=1)
        items = np.concatenate([bought, others], axis=1)
        batch = steps.arrays | {
            ROWS: (rows * width + columns).astype(np.int32),
            CANDIDATE_VECTORS: histories.vectors[items],
            CANDIDATE_WEIGHTS: weights.astype(np.float32),
        }
        if config.signals:
            batch[CANDIDATE_SIGNALS] = self._signals_of(items, days)
            batch[CANDIDATE_OWN] = self._own(items, orders)
        if self._views is not None:
            batch[VIEWED], of_views = self._viewed(self._views, items, orders, days)
            batch[CANDIDATE_OWN] = np.concatenate([batch[CANDIDATE_OWN], of_views], axis=-1)
        return batch

    def _never_sold(self, items: np.ndarray, days: np.ndarray) -> np.ndarray:
        """Whether nobody had bought an article before the day of its row; bool [R, C]."""
        found = np.zeros(items.shape, bool)
        for day in np.unique(days):
            at = days == day
            found[at] = self.signals.never_sold(int(day), items[at])
        return found

    def _signals_of(self, items: np.ndarray, days: np.ndarray) -> np.ndarray:
        """Signals of articles as of the day of each row; int [R, C], int [R] -> float32 [R, C, S]."""
        found = np.empty((*items.shape, self.signals.width), np.float32)
        for day in np.unique(days):
            at = days == day
            found[at] = self.signals.at(int(day), items[at])
        return found

    def _begins_order(self, units: np.ndarray) -> np.ndarray:
        """Whether a step's purchase is read first of its order; steps [B, T], purchases of one order side by side."""
        order = np.where(units >= 0, self.histories.order_of_purchase[np.maximum(units, 0)], -1)
        begins: np.ndarray = np.diff(order, axis=1, prepend=-2) != 0
        # A cut may leave the rest of an order: its first purchase was read before the cut.
        first = self.histories.order_sizes[np.maximum(order[:, 0], 0)]
        read = (order == order[:, :1]).sum(axis=1)
        begins[:, 0] = read == first
        return begins

    def _bought(self, units: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Articles of each row and their weights: the purchase, or some of the order that stand for all of it."""
        histories = self.histories
        if histories.config.reads != ORDERS:
            return histories.purchases.items[units][:, None], np.ones((len(units), 1))
        sizes, most = histories.order_sizes[units], BOUGHT_OF_ORDER
        flat = ranges(histories.order_starts[units], sizes)
        row = np.repeat(np.arange(len(units)), sizes)
        shuffled = np.lexsort((random.random(len(flat)), row))
        place = ranges(np.zeros(len(units), np.int64), sizes)
        kept = place < most
        items, weights = np.zeros((len(units), most), np.int64), np.zeros((len(units), most))
        items[row[kept], place[kept]] = histories.purchases.items[flat[shuffled]][kept]
        weights[row[kept], place[kept]] = np.minimum(sizes / np.minimum(sizes, most), _MOST_WEIGHT)[row[kept]]
        return items, weights

    def _others(self, days: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Articles drawn from what was in store on the day of each row; int64 [R, n]."""
        drawn = random.random((len(days), self.histories.config.negatives))
        found = np.zeros(drawn.shape, np.int64)
        for day in np.unique(days):
            store, at = self.assortment.at(int(day)), days == day
            if self._compared is not None:
                store = store[self._compared[store]]
            if len(store):
                found[at] = store[(drawn[at] * len(store)).astype(int)]
        return found

    def _not_bought(self, others: np.ndarray, orders: np.ndarray) -> np.ndarray:
        """1 where an article is not of the row's own order, else 0."""
        histories = self.histories
        sizes = histories.order_sizes[orders]
        row = np.repeat(np.arange(len(orders)), sizes)
        n_items = histories.purchases.n_items
        of_order = row * n_items + histories.purchases.items[ranges(histories.order_starts[orders], sizes)]
        drawn = np.arange(len(orders))[:, None] * n_items + others
        return ~np.isin(drawn, of_order)

    def _own(self, items: np.ndarray, orders: np.ndarray) -> np.ndarray:
        """What the row's customer did with each candidate before the row's order; float32 [R, C, O]."""
        histories, purchases = self.histories, self.histories.purchases
        customers = histories.order_customers[orders]
        first = purchases.offsets[customers]
        lengths = histories.order_starts[orders] - first
        earlier = ranges(first, lengths)
        row = np.repeat(np.arange(len(orders)), lengths)
        ages = histories.order_times[orders][row] - purchases.times[earlier]
        keys = (np.arange(len(orders))[:, None] * purchases.n_items + items).ravel()
        n_orders = orders - histories.order_offsets[customers]
        return pair_signals(
            keys, row * purchases.n_items + purchases.items[earlier], ages, np.repeat(n_orders, items.shape[1])
        ).reshape(*items.shape, N_OWN)

    def _viewed(
        self, views: RecentViews, items: np.ndarray, orders: np.ndarray, days: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """What the row's customer viewed before the row's day; float32 [R, K, D], and of each candidate [R, C, ...]."""
        histories = self.histories
        rows, viewed, ages = views.before(histories.order_customers[orders], days)
        n_items = histories.purchases.n_items
        keys = (np.arange(len(orders))[:, None] * n_items + items).ravel()
        signals = view_signals(keys, rows * n_items + viewed, ages)
        means = viewed_means(rows, viewed, ages, len(orders), histories.vectors)
        return means, signals.reshape(*items.shape, N_VIEW_SIGNALS)

    def _order(self, epoch: int, batch_size: int) -> list[np.ndarray]:
        """Customers of each batch of an epoch: shuffled, then sorted by length within stretches of some batches."""
        random = np.random.default_rng([self._seed, epoch])
        customers = random.permutation(len(self._customers))
        stretch = batch_size * _SORTED_BATCHES
        parts = [customers[first : first + stretch] for first in range(0, len(customers), stretch)]
        ordered = np.concatenate([part[np.argsort(self._lengths[part], kind="stable")] for part in parts])
        batches = [self._customers[ordered[first : first + batch_size]] for first in range(0, len(ordered), batch_size)]
        return [batches[number] for number in random.permutation(len(batches))]


def pair_signals(keys: np.ndarray, earlier: np.ndarray, ages: np.ndarray, n_orders: np.ndarray) -> np.ndarray:
    """Own signals of pairs from earlier purchases, both named by keys; float32 [pairs, O].

    Args: keys: int64 [pairs], a key may repeat; earlier: int64 [L]; ages: float [L]; n_orders: int [pairs].
    """
    unique, inverse = np.unique(keys, return_inverse=True)
    place = np.minimum(np.searchsorted(unique, earlier), max(len(unique) - 1, 0))
    known = unique[place] == earlier if len(unique) else np.zeros(len(earlier), bool)
    orders = np.zeros(len(unique), np.int64)
    orders[inverse] = n_orders
    return own_signals(ages[known], place[known], orders)[inverse]
