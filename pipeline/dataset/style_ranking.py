"""Everything in store ranked for customers: a product of matrices, and what own earlier purchases add."""

from typing import Any, TypeAlias

import numpy as np

from models.best_products import best_products
from models.ragged import ranges
from models.style_fields import PAST_VECTORS, PROFILES, STEP_TIMES
from pipeline.dataset.item_examples import ItemExamples
from pipeline.dataset.purchases import Purchases
from pipeline.dataset.style_examples import pair_signals
from pipeline.dataset.style_signals import PairSignals
from pipeline.dataset.style_steps import Histories
from pipeline.dataset.style_views import RecentViews, view_signals, viewed_means

Pairs: TypeAlias = "tuple[np.ndarray, np.ndarray, np.ndarray]"
_AT_ONCE = 256
_ITEMS_AT_ONCE = 4096


def vectors_of(model: Any, examples: ItemExamples) -> np.ndarray:
    """Vectors of all articles around their mean, the mean square of their components scaled to 1; float32 [V, D].

    Around the mean: what all have in common ranks none above another.
    """
    from pipeline.dataset.tensors import compiled

    forward = compiled(model)
    items = np.arange(len(examples.articles))
    parts = [
        forward(examples.inputs(items[first : first + _ITEMS_AT_ONCE]))
        for first in range(0, len(items), _ITEMS_AT_ONCE)
    ]
    vectors = np.concatenate(parts).astype(np.float32)
    vectors -= vectors.mean(axis=0)
    return vectors / max(float(np.sqrt(np.mean(vectors**2))), 1e-6)


class StyleRanking:
    """Ranks by a trained model of style. Args: views: what customers looked at, for a model that reads it."""

    def __init__(
        self, model: Any, histories: Histories, signals: PairSignals | None = None, views: Purchases | None = None
    ) -> None:
        self._model, self._histories, self._signals = model, histories, signals
        self._views: RecentViews | None = None
        if model.reads_views:
            purchases = histories.purchases
            nothing = np.zeros(0, np.int64)
            none = Purchases.sort(nothing, nothing, np.zeros(0), purchases.n_customers, purchases.n_items)
            self._views = RecentViews(none if views is None else views)

    def styles(self, customers: np.ndarray, at: float) -> tuple[np.ndarray, np.ndarray]:
        """Style and taste of customers as of a time; float32 [C, D], [C, E + 1]."""
        from pipeline.dataset.tensors import compiled

        forward = compiled(self._model)
        random = np.random.default_rng(0)
        found: list[tuple[np.ndarray, np.ndarray]] = []
        for first in range(0, len(customers), _AT_ONCE):
            part = customers[first : first + _AT_ONCE]
            steps = self._histories.read(part, random, at)
            arrays = {name: steps.arrays[name] for name in (PAST_VECTORS, STEP_TIMES, PROFILES) if name in steps.arrays}
            last = np.arange(len(part)), steps.lengths - 1
            styles = forward(arrays)
            style = styles.style[last]
            if self._views is not None:
                viewed = self._views.before(part, np.full(len(part), int(at)))
                means = viewed_means(*viewed, len(part), self._histories.vectors)
                style = style + np.asarray(self._model.viewed_style(means))
            found.append((style, styles.taste[last]))
        style, taste = zip(*found, strict=True)
        return np.concatenate(style), np.concatenate(taste)

    def intents(self, customers: np.ndarray, store: np.ndarray, at: float) -> np.ndarray:
        """Intent of each customer to buy each article in store; float32 [C, S]."""
        of_customers, of_articles, (rows, columns, own) = self._factors(customers, store, at)
        intents = of_customers @ of_articles.T
        intents[rows, columns] += own
        return intents

    def best(self, customers: np.ndarray, store: np.ndarray, at: float, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The k articles in store with the largest intent, as positions, and the intents; int64 and float32 [C, k]."""
        of_customers, of_articles, own = self._factors(customers, store, at)
        return best_products(of_customers, of_articles, k, own)

    def _factors(self, customers: np.ndarray, store: np.ndarray, at: float) -> tuple[np.ndarray, np.ndarray, Pairs]:
        """Vectors whose products are intents but for own earlier purchases, and what those add to some pairs."""
        style, taste = self.styles(customers, at)
        of_articles, nothing = self._histories.vectors[store], np.zeros(0, np.int64)
        if not self._model.config.signals:
            return style, of_articles, (nothing, nothing, np.zeros(0, np.float32))
        if self._signals is None:
            raise ValueError("a ranking of articles needs their signals")
        signals = self._signals.at(int(at), store)
        by_signals = np.asarray(self._model.signal_vectors(signals))
        factors = [np.concatenate(parts, axis=1) for parts in ((style, taste), (of_articles, by_signals))]
        return factors[0], factors[1], self.own(customers, store, signals, at)

    def own(self, customers: np.ndarray, store: np.ndarray, signals: np.ndarray, at: float) -> Pairs:
        """Pairs that were bought or viewed before and are in store, by position, and what that adds to their intents.

        Args: signals: float32 [S, signals], of the articles in store.
        """
        histories, purchases = self._histories, self._histories.purchases
        first = purchases.offsets[customers]
        lengths = purchases.offsets[customers + 1] - first
        earlier = ranges(first, lengths)
        rows = np.repeat(np.arange(len(customers)), lengths)
        column_of = np.full(purchases.n_items, -1)
        column_of[store] = np.arange(len(store))
        columns = column_of[purchases.items[earlier]]
        kept = columns >= 0
        keys = rows[kept] * len(store) + columns[kept]
        viewed, viewed_ages = self._viewed(customers, column_of, len(store), int(at))
        pairs = np.union1d(keys, viewed)
        n_orders = np.diff(histories.order_offsets)[customers]
        ages = at - purchases.times[earlier][kept]
        row, column = pairs // len(store), pairs % len(store)
        own = pair_signals(pairs, keys, ages, n_orders[row])
        if self._views is not None:
            own = np.concatenate([own, view_signals(pairs, viewed, viewed_ages)], axis=1)
        scores = np.asarray(self._model.own_scores(own, signals[column]))
        return row, column, scores

    def _viewed(
        self, customers: np.ndarray, column_of: np.ndarray, n_store: int, day: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Pairs that customers viewed before a day, of what is in store, and their ages; int64 [L], float64 [L]."""
        if self._views is None:
            return np.zeros(0, np.int64), np.zeros(0)
        rows, items, ages = self._views.before(customers, np.full(len(customers), day))
        columns = column_of[items]
        kept = columns >= 0
        return rows[kept] * n_store + columns[kept], ages[kept]
