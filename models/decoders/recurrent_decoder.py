"""Decode the next basket product by product by LSTM layers."""

from typing import Any

import keras
from keras import ops

from models.decoders.decoder import Decoder
from models.tensors import Tensor


@keras.saving.register_keras_serializable("larder")
class RecurrentDecoder(Decoder):
    """A stack of LSTM layers that starts in a state made from the funnel's context.

    Source: LENS, next session decoder (Table 1).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stack = [
            keras.layers.LSTM(
                size,
                return_sequences=True,
                kernel_initializer=keras.initializers.GlorotUniform(self.seed + 100 * depth),
                recurrent_initializer=keras.initializers.Orthogonal(seed=self.seed + 100 * depth + 1),
                name=f"lstm_{depth}",
            )
            for depth, size in enumerate(self.units)
        ]
        self.starts = [
            keras.layers.Dense(
                2 * size,
                activation="tanh",
                kernel_initializer=keras.initializers.GlorotUniform(self.seed + 100 * depth + 2),
                name=f"start_{depth}",
            )
            for depth, size in enumerate(self.units)
        ]

    def build(self, input_shape: Any = None) -> None:
        """Build each layer on the width of the one below."""
        width = self.input_units
        for layer, start, size in zip(self.stack, self.starts, self.units, strict=True):
            layer.build((None, None, width))
            start.build((None, self.context_units))
            width = size
        self.built = True

    def initial_states(self, context: Tensor) -> list[Tensor]:
        """Hidden and cell state of every layer, in turn; float32 [B, C] -> 2 x layers of [B, units]."""
        return [state for start in self.starts for state in ops.split(start(context), 2, axis=-1)]

    def call(self, inputs: Tensor, context: Tensor, training: bool = False) -> Tensor:
        """Teacher forcing."""
        states = self.initial_states(context)
        outputs = inputs
        for depth, layer in enumerate(self.stack):
            outputs = layer(outputs, initial_state=states[2 * depth : 2 * depth + 2], training=training)
        return outputs

    def step(self, inputs: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """One product further."""
        outputs, following = inputs, []
        for depth, layer in enumerate(self.stack):
            outputs, states_after = layer.cell(outputs, states[2 * depth : 2 * depth + 2])
            following += list(states_after)
        return outputs, following
