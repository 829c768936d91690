"""Decode the next basket product by product by blocks of causal self-attention."""

from typing import Any

import keras
from keras import ops

from models.decoders.decoder import Decoder
from models.layers.attention import AttentionBlock, one_width, sinusoids
from models.tensors import Tensor


@keras.saving.register_keras_serializable("larder")
class TransformerDecoder(Decoder):
    """Blocks of self-attention in which each step attends to itself, those before it, and the funnel's context.

    Args:   units: D of each block, all alike.
    Source: the Transformer counterpart of LENS's next session decoder that its further work names.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.width = one_width(self.units)
        self.start, self.read = (
            keras.layers.Dense(
                self.width, kernel_initializer=keras.initializers.GlorotUniform(self.seed + offset), name=name
            )
            for offset, name in enumerate(("start", "read"))
        )
        self.stack = [
            AttentionBlock(self.width, seed=self.seed + 100 * (depth + 1), name=f"block_{depth}")
            for depth in range(len(self.units))
        ]
        self.normalise = keras.layers.LayerNormalization(name="normalise")

    def build(self, input_shape: Any = None) -> None:
        """Build each part."""
        self.start.build((None, self.context_units))
        self.read.build((None, self.input_units))
        for block in self.stack:
            block.build()
        self.normalise.build((None, self.width))
        self.built = True

    def initial_states(self, context: Tensor) -> list[Tensor]:
        """Keys and values of the context in every block, in turn; float32 [B, C] -> 2 x blocks of [B, 1, D]."""
        start = self.start(context)
        nothing = ops.zeros_like(start)[:, None][:, :0]
        return self._through(start, [nothing] * (2 * len(self.stack)))[1]

    def call(self, inputs: Tensor, context: Tensor, training: bool = False) -> Tensor:
        """Teacher forcing."""
        steps = self.read(inputs) + sinusoids(ops.arange(ops.shape(inputs)[1]), self.width)
        steps = ops.concatenate([self.start(context)[:, None], steps], axis=1)
        position = ops.arange(ops.shape(steps)[1])
        mask = (position[None] <= position[:, None])[None]
        for block in self.stack:
            steps = block(steps, mask)
        return self.normalise(steps)[:, 1:]

    def step(self, inputs: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """One product further; the next states are a step longer."""
        position = ops.shape(states[0])[1] - 1  # the context stands before the first product
        output, following = self._through(self.read(inputs) + sinusoids(position, self.width), states)
        return self.normalise(output), following

    def _through(self, step: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        following = []
        for depth, block in enumerate(self.stack):
            step, *grown = block.step(step, *states[2 * depth : 2 * depth + 2])
            following += grown
        return step, following
