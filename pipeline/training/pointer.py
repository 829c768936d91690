"""The pointer head, trained alone before the whole model: first its trees, then its network.

It reads nothing but the features of candidates, so one of its steps costs a fraction of the model's, and to order a
customer's products well it takes many more steps than a night can give to the whole model.
"""

from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from models.folds import N_FOLDS
from pipeline.settings import TrainingSettings
from pipeline.training.pointer_trees import PointerExamples, grown_forests
from pipeline.training.small_steps import take_small_steps

if TYPE_CHECKING:
    from models.heads.pointer import PointerHead
    from models.heads.tree_scores import TreeScores

_PASSES = 24
_AT_ONCE = 256
_OF_ALL = 2048
"""Examples by which scores of the forest of all customers are standardised."""


def train_pointer(head: "PointerHead", examples: PointerExamples, settings: TrainingSettings) -> int:
    """Train it on the candidates of some training examples; returns the steps taken by its network.

    There are 24 passes over them, or `settings.pointer_steps` batches where that is less.
    """
    # Variables of a distribution strategy cannot be trained outside its steps: a copy is.
    alone = type(head).from_config(head.get_config())
    alone.trainable = True
    alone.build()
    alone.set_weights(head.get_weights())
    inputs = _inputs(alone, examples, settings)
    steps = min(_PASSES * -(-len(inputs) // settings.batch_size), settings.pointer_steps)

    def losses(inputs: tf.Tensor, is_candidate: tf.Tensor, is_bought: tf.Tensor) -> tf.Tensor:
        return alone.losses(tf.cast(inputs, tf.float32), is_candidate, is_bought)

    take_small_steps(alone, losses, (inputs, examples.is_candidate, examples.is_bought), settings, steps=steps)
    head.set_weights(alone.get_weights())
    return steps


def _inputs(head: "PointerHead", examples: PointerExamples, settings: TrainingSettings) -> np.ndarray:
    """What the head reads of the examples, its trees grown on them; float16 [n, C, I].

    Each forest's scores are standardised: a fold's by its customers, whom the forest has not seen, those of the forest
    of all by some that it has. So where folds are too small to learn from, one that is not gains nothing by its spread.
    """
    trees = head.trees
    if trees is None:
        return examples.features
    trees.assign(grown_forests(examples, head.n_trees, head.tree_levels, settings.seed))
    inputs = np.zeros((*examples.is_candidate.shape, head.input_units + 1), np.float16)
    inputs[..., :-1] = examples.features
    for forest in range(1 + N_FOLDS):
        rows = np.flatnonzero(examples.folds == forest) if forest > 0 else np.arange(min(len(inputs), _OF_ALL))
        scores = _scores(trees, examples.features[rows], forest)
        known = scores[examples.is_candidate[rows]]
        if known.size > 1 and (deviation := float(known.std())) > 0:
            mean = float(known.mean())
            trees.standardise(forest, mean, deviation)
            scores = (scores - mean) / deviation
        if forest > 0:
            inputs[rows, :, -1] = scores
    return inputs


def _scores(trees: "TreeScores", features: np.ndarray, forest: int) -> np.ndarray:
    """By one forest; float16 [n, C, F] -> float32 [n, C]."""
    scores = np.zeros(features.shape[:2], np.float32)
    for first in range(0, len(scores), _AT_ONCE):
        part = features[first : first + _AT_ONCE].astype(np.float32)
        scores[first : first + _AT_ONCE] = trees(part, np.full(len(part), forest, np.int32))
    return scores
