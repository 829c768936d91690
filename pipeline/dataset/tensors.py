"""Batches as TensorFlow input, and functions over batches compiled once for all shapes."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from pipeline.task import Batch, TrainingData


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
            graphs[names] = tf.function(function, input_signature=[signature(batch)], autograph=False)
        outputs = graphs[names]({name: tf.convert_to_tensor(array) for name, array in batch.items()})
        return tf.nest.map_structure(np.asarray, outputs)

    return call
