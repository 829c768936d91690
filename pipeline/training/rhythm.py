"""The rhythm head of the days until the next basket, trained alone before the whole model."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from pipeline.dataset.epoch_order import batch_rows
from pipeline.settings import TrainingSettings

if TYPE_CHECKING:
    from models.heads.time_to_next import HazardHead

_PASSES = 8


class RhythmExamples(NamedTuple):
    """Training examples, also those whose next basket has not come.

    rhythm: float32 [n, R], see models/fields.py; gap_days, is_observed: float32 [n].
    """

    rhythm: np.ndarray
    gap_days: np.ndarray
    is_observed: np.ndarray

    @classmethod
    def joined(cls, parts: "Sequence[RhythmExamples]") -> "RhythmExamples":
        """Those of all parts, at least one."""
        return cls(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def train_rhythm(head: "HazardHead", examples: RhythmExamples, settings: TrainingSettings) -> int:
    """Train what it makes of the rhythm; returns the steps taken.

    There are 8 passes over the examples, or `settings.rhythm_steps` batches where that is less.
    """
    # Variables of a distribution strategy cannot be trained outside its steps: a copy is.
    alone = type(head).from_config(head.get_config())
    alone.build()
    alone.set_weights(head.get_weights())
    alone.rhythm_head.trainable = True
    alone.rhythm_head.adapt(examples.rhythm)
    n, size = len(examples.rhythm), settings.batch_size
    steps = min(_PASSES * -(-n // size), settings.rhythm_steps)
    optimizer = keras.optimizers.RMSprop(keras.optimizers.schedules.CosineDecay(settings.learning_rate, max(steps, 1)))
    variables = alone.rhythm_head.trainable_variables
    optimizer.build(variables)

    @tf.function(input_signature=[tf.TensorSpec([None] * rank, "float32") for rank in (2, 1, 1)])
    def step(rhythm: tf.Tensor, gap_days: tf.Tensor, is_observed: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(alone.rhythm_loss(rhythm, gap_days, is_observed))
        optimizer.apply(tape.gradient(loss, variables), variables)

    for number in range(steps):
        rows = batch_rows(n, settings.seed, number, min(size, n))
        step(*(array[rows] for array in examples))
    head.set_weights(alone.get_weights())
    return steps
