"""The pointer head, trained alone before the whole model.

It reads nothing but the features of candidates, so one of its steps costs a fraction of the model's, and to order a
customer's products well it takes many more steps than a night can give to the whole model.
"""

from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf

from models import fields
from models.ragged import joined_rows
from pipeline.dataset.epoch_order import batch_rows
from pipeline.settings import TrainingSettings
from pipeline.task import TrainingData

if TYPE_CHECKING:
    from models.heads.pointer import PointerHead

_MOST_EXAMPLES = 25_600
"""In memory: 200 MB with 128 candidates each."""
_PASSES = 24


def train_pointer(head: "PointerHead", data: TrainingData, settings: TrainingSettings) -> int:
    """Train it on the candidates of the first training examples, the same on every worker; returns the steps taken.

    Examples are those of whole passes as long as the training and the memory hold them. There are 24 passes over them,
    or `settings.pointer_steps` batches where that is less; none for an example whose next basket has not come.
    """
    # Variables of a distribution strategy cannot be trained outside its steps: a copy is.
    alone = type(head).from_config(head.get_config())
    alone.build()
    alone.set_weights(head.get_weights())
    features, is_candidate, is_bought = _examples(data, settings)
    n, size = len(features), settings.batch_size
    steps = min(_PASSES * -(-n // size), settings.pointer_steps)
    rate = keras.optimizers.schedules.CosineDecay(settings.learning_rate, max(steps, 1))
    optimizer = keras.optimizers.RMSprop(rate)
    optimizer.build(alone.trainable_variables)

    inputs = [tf.TensorSpec([None] * rank, dtype) for rank, dtype in ((3, "float32"), (2, "bool"), (2, "bool"))]

    @tf.function(input_signature=inputs)
    def step(features: tf.Tensor, is_candidate: tf.Tensor, is_bought: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(alone.losses(features, is_candidate, is_bought))
        optimizer.apply(tape.gradient(loss, alone.trainable_variables), alone.trainable_variables)

    for number in range(steps):
        rows = batch_rows(n, settings.seed, number, min(size, n))
        step(features[rows].astype(np.float32), is_candidate[rows], is_bought[rows])
    head.set_weights(alone.get_weights())
    return steps


def _examples(data: TrainingData, settings: TrainingSettings) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Candidate features float16 [n, C, F], which are candidates and which were bought; bool [n, C]."""
    size = settings.batch_size
    a_pass = data.steps_per_epoch(size)
    most = max(_MOST_EXAMPLES // size, 1)
    passes = min(settings.steps(a_pass), most) // a_pass
    parts = []
    for number in range(passes * a_pass or min(a_pass, most)):
        batch = data.batch(number, size)
        came = batch[fields.TARGET_OBSERVED] > 0
        features = batch[fields.CANDIDATE_FEATURE_VALUES].astype(np.float16)
        parts.append([each[came] for each in (features, batch[fields.CANDIDATES] > 0, batch[fields.TARGET_CANDIDATES])])
    features, is_candidate, is_bought = (joined_rows(of) for of in zip(*parts, strict=True))
    return features, is_candidate, is_bought
