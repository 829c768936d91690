"""The pointer head, trained alone before the whole model: first its trees, then its network.

It reads nothing but the features of candidates, so one of its steps costs a fraction of the model's, and to order a
customer's products well it takes many more steps than a night can give to the whole model.
"""

from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf

from pipeline.dataset.epoch_order import batch_rows
from pipeline.settings import TrainingSettings
from pipeline.training.pointer_trees import PointerExamples, grown_forests

if TYPE_CHECKING:
    from models.heads.pointer import PointerHead

_PASSES = 24
_AT_ONCE = 256


def train_pointer(head: "PointerHead", examples: PointerExamples, settings: TrainingSettings) -> int:
    """Train it on the candidates of some training examples; returns the steps taken by its network.

    There are 24 passes over them, or `settings.pointer_steps` batches where that is less.
    """
    # Variables of a distribution strategy cannot be trained outside its steps: a copy is.
    alone = type(head).from_config(head.get_config())
    alone.trainable = True
    alone.build()
    alone.set_weights(head.get_weights())
    n, size = len(examples.features), settings.batch_size
    inputs = _inputs(alone, examples, settings)
    steps = min(_PASSES * -(-n // size), settings.pointer_steps)
    rate = keras.optimizers.schedules.CosineDecay(settings.learning_rate, max(steps, 1))
    optimizer = keras.optimizers.RMSprop(rate)
    optimizer.build(alone.trainable_variables)

    @tf.function(
        input_signature=[
            tf.TensorSpec([None] * rank, kind) for rank, kind in ((3, "float32"), (2, "bool"), (2, "bool"))
        ]
    )
    def step(inputs: tf.Tensor, is_candidate: tf.Tensor, is_bought: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(alone.losses(inputs, is_candidate, is_bought))
        optimizer.apply(tape.gradient(loss, alone.trainable_variables), alone.trainable_variables)

    for number in range(steps):
        rows = batch_rows(n, settings.seed, number, min(size, n))
        step(inputs[rows].astype(np.float32), examples.is_candidate[rows], examples.is_bought[rows])
    head.set_weights(alone.get_weights())
    return steps


def _inputs(head: "PointerHead", examples: PointerExamples, settings: TrainingSettings) -> np.ndarray:
    """What the head's network reads of the examples, its trees grown on them; float16 [n, C, I]."""
    if head.trees is None:
        return examples.features
    head.trees.assign(grown_forests(examples, head.n_trees, head.tree_levels, settings.seed))
    inputs = np.zeros((*examples.is_candidate.shape, head.input_units + 1), np.float16)
    scores = np.zeros(examples.is_candidate.shape, np.float32)
    for first in range(0, len(scores), _AT_ONCE):
        rows = slice(first, first + _AT_ONCE)
        scores[rows] = head.trees(examples.features[rows].astype(np.float32), examples.folds[rows])
    known = scores[examples.is_candidate]
    if known.size > 1 and (deviation := float(known.std())) > 0:
        mean = float(known.mean())
        head.trees.standardise(mean, deviation)
        scores = (scores - mean) / deviation
    inputs[..., :-1], inputs[..., -1] = examples.features, scores
    return inputs
