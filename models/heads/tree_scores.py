"""Scores of candidates by boosted trees, evaluated as tensors: the trees are weights of the model and in its file."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from models.complete_trees import CompleteTrees
from models.folds import N_FOLDS
from models.tensors import Tensor

_FEWEST_ROWS = 1024


@keras.saving.register_keras_serializable("larder")
class TreeScores(keras.layers.Layer):
    """The sum of boosted trees over the features of each candidate, by a forest that did not learn from the customer.

    Forest 0 is grown from all training customers and scores everyone to come; forest f without those of fold f, whom it
    scores in training. What reads the scores then learns how good they are for customers that trees have not seen.

    Shapes: B customers, C candidates each, F features, T trees, D levels.
    Args:   n_trees: T; depth: D.
    Source: Wolpert, "Stacked generalization", Neural Networks 5, 1992.
    """

    def __init__(self, n_trees: int, depth: int, **kwargs: Any) -> None:
        super().__init__(trainable=False, **kwargs)
        self.n_trees, self.depth = n_trees, depth

    def build(self, input_shape: Any = None) -> None:
        """Build forests that score nothing."""
        empty = CompleteTrees.constant(self.n_trees, self.depth)
        # Numbers of columns as float32: TensorFlow keeps integer variables on no GPU.
        self.columns, self.thresholds, self.values = (
            self.add_weight(
                shape=(1 + N_FOLDS, *start.shape),
                initializer=keras.initializers.Constant(float(start.flat[0])),
                trainable=False,
                name=name,
            )
            for name, start in (
                ("columns", empty.columns),
                ("thresholds", empty.thresholds),
                ("values", empty.values),
            )
        )
        self.built = True

    def assign(self, forests: Sequence[CompleteTrees]) -> None:
        """Take these forests from now on: that of all customers, then those without each fold."""
        for name in ("columns", "thresholds", "values"):
            getattr(self, name).assign(np.stack([getattr(forest, name) for forest in forests]).astype(np.float32))

    def standardise(self, forest: int, mean: float, deviation: float) -> None:
        """Make scores of a forest that have that mean and standard deviation have mean 0 and deviation 1."""
        values = ops.convert_to_numpy(self.values).copy()
        values[forest] = (values[forest] - mean / self.n_trees) / deviation
        self.values.assign(values)

    def call(self, candidate_features: Tensor, folds: Tensor) -> Tensor:
        """Float32 [B, C, F], int32 [B] -> float32 [B, C]."""
        n_customers, n_candidates, n_columns = ops.shape(candidate_features)
        rows = ops.reshape(candidate_features, (-1, n_columns))
        forests = ops.repeat(ops.cast(folds, "int32"), n_candidates)
        # XLA compiles once for each number of rows: all are rounded up to quarters of powers of two.
        n_rows = n_customers * n_candidates
        at_least = ops.maximum(n_rows, _FEWEST_ROWS)
        quarter = 2 ** (ops.cast(ops.floor(ops.log2(ops.cast(at_least, "float32"))), "int32") - 2)
        missing = -(-at_least // quarter) * quarter - n_rows
        rows, forests = ops.pad(rows, ((0, missing), (0, 0))), ops.pad(forests, ((0, missing),))
        thresholds, values = (tf.convert_to_tensor(each) for each in (self.thresholds, self.values))
        scores = _COMPILED(rows, forests, ops.cast(self.columns, "int32"), thresholds, values)
        return ops.reshape(scores[:n_rows], (n_customers, n_candidates))

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        config: dict[str, Any] = super().get_config() | {"n_trees": self.n_trees, "depth": self.depth}
        config.pop("trainable")
        return config


def _forest_scores(
    features: tf.Tensor, forests: tf.Tensor, columns: tf.Tensor, thresholds: tf.Tensor, values: tf.Tensor
) -> tf.Tensor:
    """Scores of rows; float32 [N, F], int32 [N], 2 x [E, T, 2^D - 1], [E, T, 2^D] -> float32 [N]."""
    n_trees, n_nodes = columns.shape[1:]
    row = tf.range(tf.shape(features)[0])[:, None] * tf.shape(features)[1]
    tree = forests[:, None] * n_trees + tf.range(n_trees)
    flat_features, flat_columns, flat_thresholds = (tf.reshape(each, [-1]) for each in (features, columns, thresholds))
    first = tree * n_nodes
    at = first
    while n_nodes > 0:  # a level for each bit of the number of nodes
        is_above = tf.gather(flat_features, row + tf.gather(flat_columns, at)) > tf.gather(flat_thresholds, at)
        at = 2 * at - first + 1 + tf.cast(is_above, tf.int32)
        n_nodes //= 2
    # Leaf l of a tree is its node 2^D - 1 + l, and there is one leaf more than nodes.
    return tf.reduce_sum(tf.gather(tf.reshape(values, [-1]), at - columns.shape[2] + tree), axis=-1)


# XLA makes one loop of it, without an array for each level: a sixth of the time of TensorFlow's operations.
_COMPILED = tf.function(_forest_scores, jit_compile=True, autograph=False)
