"""When the next basket comes by the rhythm of those before, without what is in them."""

from typing import Any

import keras
import numpy as np

from models.tensors import Tensor

_SAME = 1e-3  # a standard deviation below which a column is constant


@keras.saving.register_keras_serializable("larder")
class RhythmHead(keras.layers.Layer):
    """How far the log odds of each interval's hazard are from those they start at, by rhythm alone.

    Why beside the state of the encoder: medians, extremes and counts of gaps are what a next gap follows from, and a
    recurrent layer needs many steps to compute them.

    Shapes: B funnels, R columns of `models.fields.RHYTHM_FEATURES`, K intervals.
    Args:   input_units: R; units: width of the hidden layers; outputs: K.
    """

    def __init__(self, input_units: int, units: int, outputs: int, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.input_units, self.units, self.outputs, self.seed = input_units, units, outputs, seed
        self.of_rhythm = self._dense(units, 0, "of_rhythm", activation="silu")
        self.hidden = self._dense(units, 1, "hidden", activation="silu")
        small = keras.initializers.RandomNormal(stddev=0.01, seed=seed + 2)
        self.log_odds = keras.layers.Dense(outputs, kernel_initializer=small, name="log_odds")

    def build(self, input_shape: Any = None) -> None:
        """Build the dense layers and the standardisation."""
        self.of_rhythm.build((None, self.input_units))
        for layer in (self.hidden, self.log_odds):
            layer.build((None, self.units))
        shape = (self.input_units,)
        self.mean = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="mean")
        self.deviation = self.add_weight(shape=shape, initializer="ones", trainable=False, name="deviation")
        self.built = True

    def adapt(self, rhythm: np.ndarray) -> None:
        """Standardise by these features from now on; float32 [B, R]."""
        if len(rhythm) > 1:
            deviation = rhythm.std(axis=0)
            self.mean.assign(rhythm.mean(axis=0))
            # A constant column carries no information, and must not be enlarged when it first differs.
            self.deviation.assign(np.where(deviation > _SAME, deviation, 1.0))

    def call(self, rhythm: Tensor) -> Tensor:
        """Differences of log odds; float32 [B, R] -> [B, K]."""
        return self.log_odds(self.hidden(self.of_rhythm((rhythm - self.mean) / self.deviation)))

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        config: dict[str, Any] = super().get_config()
        sizes = {"input_units": self.input_units, "units": self.units, "outputs": self.outputs, "seed": self.seed}
        return config | sizes

    def _dense(self, units: int, offset: int, name: str, **options: Any) -> keras.layers.Dense:
        start = keras.initializers.GlorotUniform(seed=self.seed + offset)
        return keras.layers.Dense(units, kernel_initializer=start, name=name, **options)
