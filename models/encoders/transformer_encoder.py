"""Read a sequence by blocks of self-attention."""

from typing import Any

import keras
from keras import ops

from models.encoders.encoder import Encoder
from models.layers.attention import AttentionBlock, one_width, sinusoids
from models.tensors import Tensor


@keras.saving.register_keras_serializable("larder")
class TransformerEncoder(Encoder):
    """Blocks of self-attention; the output of a learned first step is the state.

    A basket is a set, so its products carry no position. A funnel's baskets carry their distance from the latest one,
    which means the same however long the funnel is.

    Args:   units: D of each block, all alike.
    Source: the Transformer counterpart of LENS's encoders that its further work names; blocks as in AttentionBlock.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.width = self.output_units = one_width(self.units)
        self.read = keras.layers.Dense(
            self.width, kernel_initializer=keras.initializers.GlorotUniform(self.seed + 1), name="read"
        )
        self.stack = [
            AttentionBlock(self.width, seed=self.seed + 100 * (depth + 1), name=f"block_{depth}")
            for depth in range(len(self.units))
        ]
        self.normalise = keras.layers.LayerNormalization(name="normalise")

    def build(self, input_shape: Any = None) -> None:
        """Build each part."""
        start = keras.initializers.RandomNormal(stddev=0.02, seed=self.seed)
        self.gather = self.add_weight(name="gather", shape=(1, 1, self.width), initializer=start)
        self.read.build((None, self.input_units))
        for block in self.stack:
            block.build()
        self.normalise.build((None, self.width))
        self.built = True

    def call(self, inputs: Tensor, mask: Tensor, training: bool = False) -> tuple[Tensor, Tensor]:
        """Encode; the state is the output of the learned first step."""
        steps = self.read(inputs)
        if self.ordered:
            real = ops.cast(mask, "int32")
            steps = steps + sinusoids(ops.sum(real, axis=1, keepdims=True) - ops.cumsum(real, axis=1), self.width)
        gather = ops.broadcast_to(self.gather, (ops.shape(inputs)[0], 1, self.width))
        steps = ops.concatenate([gather, steps], axis=1)
        attended = ops.pad(mask, [[0, 0], [1, 0]], constant_values=True)[:, None]
        for block in self.stack:
            steps = block(steps, attended)
        steps = self.normalise(steps)
        return steps[:, 1:], steps[:, 0]
