"""Read a basket as the mean of its products: what a session encoder is measured against."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("larder")
class MeanEncoder(keras.layers.Layer):
    """The mean of the real steps; no weights.

    Shapes: B sequences, T steps, I inputs and outputs.
    Source: LENS, the comparison of the session content encoder with the mean of the product embeddings.
    """

    def __init__(self, input_units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.input_units = input_units
        self.supports_masking = True

    @property
    def output_units(self) -> int:
        """I."""
        return self.input_units

    def build(self, input_shape: Any = None) -> None:
        """Nothing to build."""
        self.built = True

    def call(self, inputs: Any, mask: Any, training: bool = False) -> tuple[Any, Any]:
        """The inputs as they are, and their mean; float32 [B, T, I], bool [B, T] -> [B, T, I], [B, I]."""
        real = ops.cast(mask, inputs.dtype)[..., None]
        return inputs, ops.sum(inputs * real, axis=1) / ops.maximum(ops.sum(real, axis=1), 1.0)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return super().get_config() | {"input_units": self.input_units}
