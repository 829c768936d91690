"""Read a sequence by bidirectional LSTM layers."""

from types import SimpleNamespace
from typing import Any

import keras
from keras import ops

from models.encoders.encoder import Encoder
from models.tensors import Tensor


@keras.saving.register_keras_serializable("larder")
class RecurrentEncoder(Encoder):
    """A stack of bidirectional LSTM layers, which read in order whether it means anything or not.

    Every row must have at least one real step: cuDNN's kernels assert it, and the data set packs real baskets.

    Args:   units: units of each layer, in one direction.
    Source: LENS, session content encoder and funnel behaviour encoder (Table 1).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.output_units = 2 * self.units[-1]  # both directions of the last layer
        # Bidirectional copies its layer. While a file is read, Keras knows objects by their addresses: another layer at
        # the address of one that is gone would be taken for it, so these stay, out of sight of Keras's own list.
        layers = [self._layer(depth, size) for depth, size in enumerate(self.units)]
        self._copied = SimpleNamespace(layers=layers)
        self.stack = [
            keras.layers.Bidirectional(layer, name=f"both_ways_{depth}") for depth, layer in enumerate(layers)
        ]

    def build(self, input_shape: Any = None) -> None:
        """Build each layer on the width of the one below."""
        width = self.input_units
        for layer, size in zip(self.stack, self.units, strict=True):
            layer.build((None, None, width))
            width = 2 * size
        self.built = True

    def call(
        self, inputs: Tensor, mask: Tensor, training: bool = False, start: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Encode; the state is the last real step forwards, the first one backwards.

        Args: start: hidden and cell states in which the first layer begins, forwards and then backwards; float32
              [B, 4 x its units]. Default: zeros.
        """
        outputs = inputs
        states: list[Tensor] = []
        initial = None if start is None else ops.split(start, 4, axis=-1)
        for layer in self.stack:
            outputs, *states = layer(outputs, mask=mask, training=training, initial_state=initial)
            initial = None
        return outputs, ops.concatenate([states[0], states[2]], axis=-1)

    def _layer(self, depth: int, size: int) -> keras.layers.LSTM:
        seeds = [self.seed + 100 * depth + offset for offset in range(2)]
        return keras.layers.LSTM(
            size,
            return_sequences=True,
            return_state=True,
            kernel_initializer=keras.initializers.GlorotUniform(seeds[0]),
            recurrent_initializer=keras.initializers.Orthogonal(seed=seeds[1]),
            name=f"lstm_{depth}",
        )
