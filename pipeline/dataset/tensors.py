"""Batches as TensorFlow input, and functions over batches compiled once for all shapes."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np

from models.basket_sequences import BasketSequences
from pipeline.dataset.batch import Batch


class TrainingData(Protocol):
    """What a training learns from; a batch is a pure function of its step."""

    product_keys: np.ndarray
    customer_keys: np.ndarray
    product_counts: np.ndarray

    def known(self) -> BasketSequences:
        """Baskets from which a model may start, none of them a target that is held out."""

    def steps_per_epoch(self, batch_size: int) -> int:
        """Batches of an epoch."""

    def batch(self, step: int, batch_size: int, worker: int = 0, workers: int = 1) -> Batch:
        """One worker's slice of the batch of a step, counted from 0 over all epochs."""

    def validation(self, batch_size: int, worker: int = 0, workers: int = 1) -> Iterator[Batch]:
        """One worker's part of the validation examples in a fixed order; it may be empty."""


def signature(batch: Batch) -> dict[str, Any]:
    """Tensor specifications of a batch with every dimension left open: one trace serves all shapes."""
    import tensorflow as tf

    return {name: tf.TensorSpec([None] * array.ndim, tf.as_dtype(array.dtype)) for name, array in batch.items()}


def stream(
    examples: TrainingData, steps: range, batch_size: int, worker: int = 0, workers: int = 1
) -> Iterator[dict[str, Any]]:
    """Tensors of one worker's batches of `steps`, each made while the model computes on the one before.

    By a thread rather than tf.data: with deterministic operations that makes nothing ahead, and its generator has each
    large piece of memory given back to the system at once, to be faulted in again at the next step.
    """
    import tensorflow as tf

    with ThreadPoolExecutor(1) as ahead:
        made = deque(ahead.submit(examples.batch, step, batch_size, worker, workers) for step in steps[:1])
        for step in steps:
            if step + 1 in steps:
                made.append(ahead.submit(examples.batch, step + 1, batch_size, worker, workers))
            yield {name: tf.constant(array) for name, array in made.popleft().result().items()}


def compiled(function: Callable[[dict[str, Any]], Any]) -> Callable[[Batch], Any]:
    """`function` of a batch as a graph: numpy in, numpy out."""
    import tensorflow as tf

    graphs: dict[frozenset[str], Any] = {}

    def call(batch: Batch) -> Any:
        names = frozenset(batch)
        if names not in graphs:
            graphs[names] = tf.function(function, input_signature=[signature(batch)])
        outputs = graphs[names]({name: tf.convert_to_tensor(array) for name, array in batch.items()})
        return tf.nest.map_structure(np.asarray, outputs)

    return call
