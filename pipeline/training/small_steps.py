"""Many cheap steps on arrays in memory, for a part that is trained alone, in one process."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from pipeline.dataset.epoch_order import batch_rows
from pipeline.settings import TrainingSettings


def take_small_steps(
    part: keras.layers.Layer,
    losses: Callable[..., Any],
    arrays: Sequence[np.ndarray],
    settings: TrainingSettings,
    *,
    steps: int,
) -> None:
    """Train a part on batches of `settings.batch_size` rows, its learning rate falling to zero.

    Args: part: not of a distribution strategy, whose variables cannot be trained outside its steps; losses: of each
          example, float32 [B], of rows of `arrays`; arrays: [n, ...] each.
    """
    variables = part.trainable_variables
    optimizer = keras.optimizers.RMSprop(keras.optimizers.schedules.CosineDecay(settings.learning_rate, max(steps, 1)))
    optimizer.build(variables)

    @tf.function(input_signature=[tf.TensorSpec([None] * array.ndim, array.dtype) for array in arrays])
    def step(*batch: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(losses(*batch))
        optimizer.apply(tape.gradient(loss, variables), variables)

    n = len(arrays[0])
    for number in range(steps):
        rows = batch_rows(n, settings.seed, number, min(settings.batch_size, n))
        step(*(array[rows] for array in arrays))
