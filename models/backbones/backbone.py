"""What every backbone is: a batch in, one vector per example out."""

import keras

from models.tensors import Tensor, TensorBatch


class Backbone(keras.layers.Layer):
    """Encodes the past of each example; heads predict from the result.

    `call(batch, training)` reads arrays of `models/fields.py` and returns the state, float32 [B, output_units].
    """

    output_units: int
    """Width of the state; every kind sets its own."""

    def call(self, batch: TensorBatch, training: bool = False) -> Tensor:
        """State of each example; float32 [B, output_units]."""
        raise NotImplementedError
