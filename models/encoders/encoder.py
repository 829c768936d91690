"""What every encoder is: sequences in, their steps and one state out."""

from typing import Any

import keras


class Encoder(keras.layers.Layer):
    """Reads right-padded sequences: the products of a basket, or the baskets of a funnel.

    `call(inputs float32 [B, T, I], mask bool [B, T], training)`, the mask True first and False after, at least one step
    real in each row, returns outputs float32 [B, T, D] and the state float32 [B, D].

    Shapes: B sequences, T steps, I inputs, D outputs.
    Args:   input_units: I; units: of each layer; ordered: whether the order of the steps means anything.
    """

    output_units: int
    """D; every kind sets its own."""

    def __init__(
        self, input_units: int, units: tuple[int, ...] = (), ordered: bool = True, seed: int = 0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.input_units, self.units = input_units, tuple(units)
        self.ordered, self.seed = ordered, seed
        self.supports_masking = True

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        sizes = {"input_units": self.input_units, "units": list(self.units)}
        config: dict[str, Any] = super().get_config() | sizes | {"ordered": self.ordered, "seed": self.seed}
        return config
