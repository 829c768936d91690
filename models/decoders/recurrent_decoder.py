"""Write the next basket product by product by LSTM layers."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("larder")
class RecurrentDecoder(keras.layers.Layer):
    """A stack of LSTM layers that starts in a state made from the funnel's context.

    `call` reads the whole true basket (teacher forcing); `step` writes one product further. Both use the same weights.

    Shapes: B funnels, S steps, I inputs, C context, D units of the last layer.
    Source: LENS, next session decoder (Table 1).
    """

    def __init__(
        self, input_units: int, context_units: int, units: tuple[int, ...], seed: int = 0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.input_units, self.context_units = input_units, context_units
        self.units, self.seed = tuple(units), seed
        self.stack = [
            keras.layers.LSTM(
                size,
                return_sequences=True,
                kernel_initializer=keras.initializers.GlorotUniform(seed + 100 * depth),
                recurrent_initializer=keras.initializers.Orthogonal(seed=seed + 100 * depth + 1),
                name=f"lstm_{depth}",
            )
            for depth, size in enumerate(self.units)
        ]
        self.starts = [
            keras.layers.Dense(
                2 * size,
                activation="tanh",
                kernel_initializer=keras.initializers.GlorotUniform(seed + 100 * depth + 2),
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

    def initial_states(self, context: Any) -> list[Any]:
        """Hidden and cell state of every layer, in turn; float32 [B, C] -> 2 x layers of [B, units]."""
        return [state for start in self.starts for state in ops.split(start(context), 2, axis=-1)]

    def call(self, inputs: Any, context: Any, training: bool = False) -> Any:
        """Teacher forcing: float32 [B, S, I] and [B, C] -> [B, S, D]; the caller ignores what follows the end."""
        states = self.initial_states(context)
        outputs = inputs
        for depth, layer in enumerate(self.stack):
            outputs = layer(outputs, initial_state=states[2 * depth : 2 * depth + 2], training=training)
        return outputs

    def step(self, inputs: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        """One product further: float32 [B, I] and the states -> outputs [B, D] and the next states."""
        outputs, following = inputs, []
        for depth, layer in enumerate(self.stack):
            outputs, states_after = layer.cell(outputs, states[2 * depth : 2 * depth + 2])
            following += list(states_after)
        return outputs, following

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return super().get_config() | {
            "input_units": self.input_units,
            "context_units": self.context_units,
            "units": list(self.units),
            "seed": self.seed,
        }
