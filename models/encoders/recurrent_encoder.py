"""Read a sequence by (bidirectional) LSTM layers: products of a basket, or baskets of a funnel."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("larder")
class RecurrentEncoder(keras.layers.Layer):
    """A stack of LSTM layers over right-padded sequences.

    Every row must have at least one real step: cuDNN's kernels assert it, and the data set packs real baskets.

    Shapes: B sequences, T steps, I inputs, D outputs (units of the last layer, twice that if bidirectional).
    Args:   input_units: I.
            units: units of each layer, in one direction.
    Source: LENS, session content encoder and funnel behaviour encoder (Table 1).
    """

    def __init__(
        self, input_units: int, units: tuple[int, ...], bidirectional: bool = True, seed: int = 0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.input_units, self.units = input_units, tuple(units)
        self.bidirectional, self.seed = bidirectional, seed
        self.supports_masking = True
        self.stack = [self._layer(depth, size) for depth, size in enumerate(self.units)]

    @property
    def output_units(self) -> int:
        """D."""
        return self.units[-1] * (2 if self.bidirectional else 1)

    def build(self, input_shape: Any = None) -> None:
        """Build each layer on the width of the one below."""
        width = self.input_units
        for layer, size in zip(self.stack, self.units, strict=True):
            layer.build((None, None, width))
            width = size * (2 if self.bidirectional else 1)
        self.built = True

    def call(self, inputs: Any, mask: Any, training: bool = False) -> tuple[Any, Any]:
        """Encode.

        Args:    inputs: float32 [B, T, I]; mask: bool [B, T], True first, False after.
        Returns: outputs float32 [B, T, D]; state float32 [B, D], the last real step forwards, the first one backwards.
        """
        outputs = inputs
        states: list[Any] = []
        for layer in self.stack:
            outputs, *states = layer(outputs, mask=mask, training=training)
        state = ops.concatenate([states[0], states[2]], axis=-1) if self.bidirectional else states[0]
        return outputs, state

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return super().get_config() | {
            "input_units": self.input_units,
            "units": list(self.units),
            "bidirectional": self.bidirectional,
            "seed": self.seed,
        }

    def _layer(self, depth: int, size: int) -> Any:
        seeds = [self.seed + 100 * depth + offset for offset in range(2)]
        layer = keras.layers.LSTM(
            size,
            return_sequences=True,
            return_state=True,
            kernel_initializer=keras.initializers.GlorotUniform(seeds[0]),
            recurrent_initializer=keras.initializers.Orthogonal(seed=seeds[1]),
            name=f"lstm_{depth}",
        )
        return keras.layers.Bidirectional(layer, name=f"both_ways_{depth}") if self.bidirectional else layer
