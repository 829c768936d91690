"""A small residual network over pictures, trained along where no pretrained one is at hand."""

from typing import Any

import keras
from keras import ops

from models.tensors import Tensor


@keras.saving.register_keras_serializable("larder")
class ResidualImages(keras.layers.Layer):
    """Convolutions that halve the picture, a residual block after each of them, and the mean over what is left.

    Shapes: float32 [B, h, w, 3], 0 to 1 -> [B, last of channels].
    """

    def __init__(self, channels: tuple[int, ...] = (8, 16, 32), seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.channels, self.seed = tuple(channels), seed
        self.halving = [self._convolution(units, 10 * row, strides=2) for row, units in enumerate(self.channels)]
        self.first = [self._convolution(units, 10 * row + 1) for row, units in enumerate(self.channels)]
        self.second = [self._convolution(units, 10 * row + 2) for row, units in enumerate(self.channels)]

    def build(self, input_shape: Any) -> None:
        """Create the weights."""
        width = int(input_shape[-1])
        for units, halving, *block in zip(self.channels, self.halving, self.first, self.second, strict=True):
            halving.build((None, None, None, width))
            for layer in block:
                layer.build((None, None, None, units))
            width = units
        self.built = True

    def call(self, pictures: Tensor) -> Tensor:
        """What the pictures show."""
        values = 2.0 * pictures - 1.0
        for halving, first, second in zip(self.halving, self.first, self.second, strict=True):
            values = ops.relu(halving(values))
            values = ops.relu(values + second(ops.relu(first(values))))
        return ops.mean(values, axis=(1, 2))

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        config: dict[str, Any] = super().get_config() | {"channels": list(self.channels), "seed": self.seed}
        return config

    def _convolution(self, units: int, offset: int, strides: int = 1) -> keras.layers.Conv2D:
        start = keras.initializers.HeUniform(self.seed + offset)
        return keras.layers.Conv2D(units, 3, strides=strides, padding="same", kernel_initializer=start)
