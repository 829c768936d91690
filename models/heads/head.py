"""What every head is: the state of each example in, one kind of prediction out."""

from typing import Any

import keras
from keras import ops

from models.tensors import Tensor, TensorBatch


class Head(keras.layers.Layer):
    """One question about the state of an example.

    `call(state float32 [B, C], batch, training)` returns outputs, in whatever form the head's other methods read.
    `build()` needs no shape: every head gets its width from its constructor.
    """

    loss_names: tuple[str, ...]
    """Keys of the losses; every kind sets its own."""

    def call(self, state: Tensor, batch: TensorBatch, training: bool = False) -> Any:
        """Outputs for each example."""
        raise NotImplementedError

    def loss_per_example(self, outputs: Any, batch: TensorBatch) -> dict[str, Tensor]:
        """Each of `loss_names`; float32 [B]. An example without a target has loss 0."""
        raise NotImplementedError

    def losses(self, outputs: Any, batch: TensorBatch) -> dict[str, Tensor]:
        """Means of `loss_per_example` over the batch; float32 scalars."""
        return {name: ops.mean(loss) for name, loss in self.loss_per_example(outputs, batch).items()}

    def predict(self, state: Tensor, batch: TensorBatch, *args: Any, **kwargs: Any) -> dict[str, Tensor]:
        """Predictions by name, each [B, ...]; further arguments are those of the kind of head."""
        raise NotImplementedError
