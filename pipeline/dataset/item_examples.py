"""Training batches of article vectors: what is known of articles, and which frequent customers bought them."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import sparse

from models.item_fields import BOUGHT, HAS_IMAGE, IDS, IMAGES, NUMBERS, TAGS
from models.ragged import positions_within
from pipeline.dataset.article_reader import MOST_TAGS, ArticleReader
from pipeline.dataset.epoch_order import epoch_order
from pipeline.dataset.purchases import Articles, Purchases
from pipeline.task import Batch

MIN_BUYERS = 3


class ItemExamples:
    """Articles that were sold, against the customers who bought most often.

    Args: purchases: those that may be read; most_customers: how many frequent customers there are at most;
          also: customers who are among them however rarely they bought.
    """

    def __init__(
        self,
        articles: Articles,
        purchases: Purchases,
        *,
        most_customers: int = 3000,
        also: np.ndarray | None = None,
        seed: int = 0,
    ) -> None:
        self.articles, self._seed = articles, seed
        counts = np.bincount(purchases.customers, minlength=purchases.n_customers)
        frequent = np.argsort(-counts, kind="stable")[: min(most_customers, int((counts > 0).sum()))]
        self.customers = np.unique(frequent if also is None else np.concatenate([frequent, also]))
        ones = np.ones(len(purchases), np.float32)
        shape = purchases.n_items, purchases.n_customers
        matrix = sparse.csr_matrix((ones, (purchases.items, purchases.customers)), shape=shape)
        matrix.data[:] = 1.0
        buyers = np.diff(matrix.indptr)
        self._bought = matrix[:, self.customers].tocsr()
        self._sold = np.flatnonzero(buyers > 0)
        self._tags = padded_tags(articles)
        self._scaled = scaled(articles.numbers, self._sold)
        frequent_items = np.flatnonzero(buyers >= MIN_BUYERS)
        self._ids = np.zeros(len(articles), np.int32)
        self._ids[frequent_items] = np.arange(1, len(frequent_items) + 1)

    @property
    def sizes(self) -> dict[str, Any]:
        """Arguments of the model."""
        images = self.articles.images
        return {
            "n_tags": len(self.articles.tag_names),
            "n_numbers": self._scaled.shape[1],
            "image_shape": (0,) if images is None else images.shape[1:],
            "n_ids": int(self._ids.max(initial=0)),
            "n_customers": len(self.customers),
        }

    @property
    def reader(self) -> ArticleReader:
        """How a model that is trained here reads articles of later nights."""
        means, spreads = scale_of(self.articles.numbers, self._sold)
        owned = np.argsort(self._ids, kind="stable")[(self._ids == 0).sum() :]
        return ArticleReader(
            tags=tuple(self.articles.tag_names),
            means=tuple(map(float, means)),
            spreads=tuple(map(float, spreads)),
            own=tuple(map(str, self.articles.names[owned])),
            image_shape=tuple(self.sizes["image_shape"]),
        )

    def steps_per_epoch(self, batch_size: int) -> int:
        """Batches of an epoch."""
        return -(-len(self._sold) // batch_size)

    def batch(self, step: int, batch_size: int, worker: int = 0, workers: int = 1) -> Batch:
        """One worker's slice of the batch of a step."""
        epoch, number = divmod(step, self.steps_per_epoch(batch_size))
        order = epoch_order(len(self._sold), self._seed, epoch)
        items = self._sold[order[number * batch_size : (number + 1) * batch_size][worker::workers]]
        return self.inputs(items) | {BOUGHT: np.asarray(self._bought[items].todense(), np.float32)}

    def validation(self, batch_size: int, worker: int = 0, workers: int = 1) -> Iterator[Batch]:
        """None: the held-out days measure a model."""
        return iter(())

    def inputs(self, items: np.ndarray) -> Batch:
        """What is known of articles."""
        images, has = self.articles.images, self.articles.has_image
        nothing = np.zeros((len(items), 0), np.float32)
        return {
            TAGS: self._tags[items],
            NUMBERS: self._scaled[items],
            IMAGES: nothing if images is None else _as_float(images[items]),
            HAS_IMAGE: np.zeros(len(items), np.float32) if has is None else has[items].astype(np.float32),
            IDS: self._ids[items],
        }


def _as_float(images: np.ndarray) -> np.ndarray:
    """Pictures are kept as bytes, vectors are not."""
    found = images.astype(np.float32)
    return found / 255.0 if images.dtype == np.uint8 else found


def padded_tags(articles: Articles) -> np.ndarray:
    """Tags of each article from 1 on, padded with 0; int32 [V, M], M as many as any has, at most 24."""
    lengths = np.diff(articles.tag_offsets)
    places = positions_within(lengths)
    width = int(np.clip(lengths.max(initial=0), 1, MOST_TAGS))
    kept = places < width
    found = np.zeros((len(articles), width), np.int32)
    rows = np.repeat(np.arange(len(articles)), lengths)
    found[rows[kept], places[kept]] = articles.tags[kept] + 1
    return found


def scale_of(numbers: np.ndarray, of: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of numbers over some rows, of those that are known; float [m] each."""
    seen = numbers[of]
    known = np.isfinite(seen)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, seen, 0.0).sum(axis=0) / count
    return mean, np.sqrt(np.where(known, (seen - mean) ** 2, 0.0).sum(axis=0) / count)


def scaled(numbers: np.ndarray, of: np.ndarray) -> np.ndarray:
    """Numbers less the mean over some rows, in their standard deviations, at most 5; a missing one is 0."""
    mean, spread = scale_of(numbers, of)
    found = np.where(np.isfinite(numbers), (numbers - mean) / np.maximum(spread, 1e-6), 0.0)
    return np.clip(found, -5.0, 5.0).astype(np.float32)
