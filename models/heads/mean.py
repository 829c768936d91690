"""Mean of a positive amount: units of a product, products of a basket."""

from math import log
from typing import Any

import keras
from keras import ops

from models.tensors import Tensor

_LOG_RANGE = 7.0
_LARGEST_RATIO = 10.0


@keras.saving.register_keras_serializable("larder")
class MeanHead(keras.layers.Layer):
    """A log-linear mean, trained by the gamma deviance; part of heads that predict amounts.

    Why gamma: it weighs relative errors, so that a wholesaler's 500 units do not drown the households' 1 or 2, and its
    optimum is the mean, which demand sums need (a regression on logs would give the median). What lies above ten times
    the predicted mean counts as ten times it: one typing error must not move the weights.

    Shapes: ... any leading dimensions, I inputs.
    """

    def __init__(self, input_units: int, start: float = 1.0, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.input_units, self.start, self.seed = input_units, start, seed
        self.log_mean = keras.layers.Dense(
            1,
            kernel_initializer=keras.initializers.RandomNormal(stddev=0.01, seed=seed),
            bias_initializer=keras.initializers.Constant(log(start)),
            name="log_mean",
        )

    def build(self, input_shape: Any = None) -> None:
        """Build the one dense layer."""
        self.log_mean.build((None, self.input_units))
        self.built = True

    def call(self, inputs: Tensor) -> Tensor:
        """Predicted mean, above 0; float32 [..., I] -> [...]."""
        return ops.exp(ops.clip(self.log_mean(inputs)[..., 0], -_LOG_RANGE, _LOG_RANGE))

    def of_pairs(self, rows: Tensor, columns: Tensor, pairs: Tensor | None = None) -> Tensor:
        """Predicted means of every row with every column; what `call` gives for their inputs side by side.

        A log-linear mean is a product of parts, so that no input of a pair is ever made.

        Args:    rows: float32 [B, R]; columns: float32 [V, I - R], or [V, I - R - 1] with one more input of each pair,
                 float32 [B, V].
        Returns: float32 [B, V].
        """
        weights = self.log_mean.kernel[:, 0]
        read = rows.shape[-1]
        log_mean = ops.matmul(rows, weights[:read, None]) + self.log_mean.bias
        log_mean += ops.matmul(columns, weights[read : read + columns.shape[-1], None])[:, 0]
        if pairs is not None:
            log_mean += pairs * weights[-1]
        return ops.exp(ops.clip(log_mean, -_LOG_RANGE, _LOG_RANGE))

    def loss(self, mean: Tensor, observed: Tensor) -> Tensor:
        """Half the gamma deviance: ratio - 1 - log(ratio) of observed (at least 0.01) to mean; 0 where they agree."""
        ratio = ops.maximum(observed, 0.01) / mean
        capped = ops.minimum(ratio, _LARGEST_RATIO)
        excess = ops.stop_gradient(ratio / capped)
        ratio = ratio / excess
        return ratio - 1.0 - ops.log(ratio)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        config: dict[str, Any] = super().get_config() | {
            "input_units": self.input_units,
            "start": self.start,
            "seed": self.seed,
        }
        return config
