"""Whether something happens: one probability per example."""

from typing import Any

import keras
from keras import ops

from models.backbones.events import EncodedEvents
from models.heads.head import Head
from models.tensors import Tensor, TensorBatch


class BinaryHead(Head):
    """Log odds, linear in the state; with `units` also through a hidden layer. Every kind says what it predicts.

    Shapes: B examples, C state.
    Args:   start_log_odds: of an example of which nothing is known, before any training.
    """

    target: str
    """Field with 0 or 1 for each example."""
    known: str | None = None
    """Field with 0 for examples whose target is not known, which have loss 0; None: all are."""
    output_name: str
    """Name of the prediction."""

    def __init__(
        self, state_units: int, *, units: int = 0, start_log_odds: float = 0.0, seed: int = 0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True  # the mask is in the state; Keras need not pass one on
        self.state_units, self.units, self.start_log_odds, self.seed = state_units, units, start_log_odds, seed
        self.log_odds = keras.layers.Dense(
            1,
            kernel_initializer=keras.initializers.RandomNormal(stddev=0.01, seed=seed),
            bias_initializer=keras.initializers.Constant(start_log_odds),
            name="log_odds",
        )
        if units:
            self.hidden = keras.layers.Dense(
                units, activation="silu", kernel_initializer=keras.initializers.GlorotUniform(seed + 1), name="hidden"
            )

    def build(self, input_shape: Any = None) -> None:
        """Build the layers."""
        if self.units:
            self.hidden.build((None, self.state_units))
        self.log_odds.build((None, self.state_units + self.units))
        self.built = True

    def call(self, state: EncodedEvents, batch: TensorBatch, training: bool = False) -> Tensor:
        """Log odds; float32 [B]."""
        inputs = state.state
        if self.units:
            inputs = ops.concatenate([inputs, self.hidden(inputs)], axis=-1)
        return self.log_odds(inputs)[:, 0]

    def loss_per_example(self, outputs: Tensor, batch: TensorBatch) -> dict[str, Tensor]:
        """Cross entropy where the target is known; float32 [B]."""
        loss = ops.softplus(outputs) - batch[self.target] * outputs
        return {self.loss_names[0]: loss if self.known is None else batch[self.known] * loss}

    def predict(self, state: EncodedEvents, batch: TensorBatch, *args: Any, **kwargs: Any) -> dict[str, Tensor]:
        """The probability; float32 [B]."""
        return {self.output_name: ops.sigmoid(self(state, batch))}

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        config: dict[str, Any] = super().get_config()
        shape = {"state_units": self.state_units, "units": self.units, "start_log_odds": self.start_log_odds}
        return config | shape | {"seed": self.seed}
