"""What every decoder is: the state of a funnel in, one product of its next basket after another out."""

from typing import Any

import keras


class Decoder(keras.layers.Layer):
    """Encodes a basket decoded so far for its next symbol, in two ways with the same weights.

    `call(inputs float32 [B, S, I], context float32 [B, C], training)` reads the whole true basket (teacher forcing) and
    returns float32 [B, S, D]; the caller ignores what follows the end. `initial_states(context)` and
    `step(inputs float32 [B, I], states)`, which returns float32 [B, D] and the next states, decode one product further.

    Shapes: B funnels, S steps, I inputs, C context, D units of the last layer.
    """

    def __init__(
        self, input_units: int, context_units: int, units: tuple[int, ...], seed: int = 0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.input_units, self.context_units = input_units, context_units
        self.units, self.seed = tuple(units), seed

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        config: dict[str, Any] = super().get_config() | {
            "input_units": self.input_units,
            "context_units": self.context_units,
            "units": list(self.units),
            "seed": self.seed,
        }
        return config
