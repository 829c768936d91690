"""Days until the next basket."""

from math import log, pi
from typing import Any

import keras
from keras import ops

_SMALLEST_SCALE = 0.1
_LARGEST_QUANTILE = 1.0 - 1e-6
_LONGEST_DAYS = 3650.0


@keras.saving.register_keras_serializable("larder")
class TimeToNextHead(keras.layers.Layer):
    """log(1 + days) as a normal distribution: its centre and its width.

    Why a distribution where the paper regresses one number: a customer who is overdue would otherwise be expected on
    the business date itself, and so would every lapsed customer. The median of what remains, given the days that have
    already passed without a basket, moves on instead.

    Shapes: B funnels, I inputs.
    Source: LENS, time to next event; differs in the width.
    """

    def __init__(self, input_units: int, start_days: float = 7.0, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.input_units, self.start_days, self.seed = input_units, start_days, seed
        normal = keras.initializers.RandomNormal(stddev=0.01, seed=seed)
        self.location = keras.layers.Dense(
            1,
            kernel_initializer=normal,
            bias_initializer=keras.initializers.Constant(log(1.0 + start_days)),
            name="location",
        )
        self.scale = keras.layers.Dense(1, activation="softplus", kernel_initializer=normal, name="scale")

    def build(self, input_shape: Any = None) -> None:
        """Build the two dense layers."""
        self.location.build((None, self.input_units))
        self.scale.build((None, self.input_units))
        self.built = True

    def call(self, inputs: Any) -> tuple[Any, Any]:
        """Location and scale of log(1 + days); float32 [B, I] -> [B], [B]."""
        return self.location(inputs)[..., 0], self.scale(inputs)[..., 0] + _SMALLEST_SCALE

    def loss(self, location: Any, scale: Any, gap_days: Any) -> Any:
        """Negative log likelihood of log(1 + days); float32 [B]."""
        distance = (ops.log(1.0 + gap_days) - location) / scale
        return 0.5 * ops.square(distance) + ops.log(scale) + 0.5 * log(2.0 * pi)

    def median(self, location: Any, scale: Any, elapsed_days: Any) -> Any:
        """Median days from the last basket, given that `elapsed_days` have passed without another; float32 [B]."""
        root_two = 2.0**0.5
        passed = 0.5 * (1.0 + ops.erf((ops.log(1.0 + elapsed_days) - location) / scale / root_two))
        passed = ops.where(elapsed_days > 0, passed, 0.0)
        quantile = ops.minimum(0.5 * (1.0 + passed), _LARGEST_QUANTILE)
        log_days = location + scale * root_two * ops.erfinv(2.0 * quantile - 1.0)
        days = ops.exp(ops.clip(log_days, 0.0, log(1.0 + _LONGEST_DAYS))) - 1.0
        return ops.maximum(days, elapsed_days)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        sizes = {"input_units": self.input_units, "start_days": self.start_days, "seed": self.seed}
        return super().get_config() | sizes
