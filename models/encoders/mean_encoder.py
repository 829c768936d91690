"""Read a basket as the mean of its products: what a session encoder is measured against."""

from typing import Any

import keras
from keras import ops

from models.encoders.encoder import Encoder
from models.tensors import Tensor


@keras.saving.register_keras_serializable("larder")
class MeanEncoder(Encoder):
    """The mean of the real steps; it has no layers, and as many outputs as inputs.

    Source: LENS, the comparison of the session content encoder with the mean of the product embeddings.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.output_units = self.input_units

    def build(self, input_shape: Any = None) -> None:
        """Nothing to build."""
        self.built = True

    def call(self, inputs: Tensor, mask: Tensor, training: bool = False) -> tuple[Tensor, Tensor]:
        """The inputs as they are, and their mean."""
        real = ops.cast(mask, inputs.dtype)[..., None]
        return inputs, ops.sum(inputs * real, axis=1) / ops.maximum(ops.sum(real, axis=1), 1.0)
