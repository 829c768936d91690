"""Parts of a Transformer: blocks of self-attention, and encodings of positions."""

from math import log
from typing import Any

import keras
from keras import ops

from models.tensors import Tensor

_LONGEST_PERIOD = 1000.0  # steps


@keras.saving.register_keras_serializable("larder")
class AttentionBlock(keras.layers.Layer):
    """Self-attention, then two dense layers; each reads its input normalised and adds to it.

    Normalised before rather than after, so that training needs no warming up.

    Shapes: B sequences, T steps, U units.
    Args:   units: U, a multiple of heads; heads: attention heads.
    Raises: ValueError: where U is no multiple of heads.
    Source: Vaswani et al., "Attention Is All You Need", NeurIPS 2017; the order of normalisation is that of Xiong et
            al., "On Layer Normalization in the Transformer Architecture", ICML 2020.
    """

    def __init__(self, units: int, heads: int = 4, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if units % heads:
            raise ValueError(f"{units} units cannot be shared by {heads} heads; choose a multiple of {heads}")
        self.units, self.heads, self.seed = units, heads, seed
        self.attention_norm = keras.layers.LayerNormalization(name="attention_norm")
        self.feedforward_norm = keras.layers.LayerNormalization(name="feedforward_norm")
        self.query_key_value = self._dense(3 * units, 0, "query_key_value")
        self.attention_output = self._dense(units, 1, "attention_output")
        self.feedforward_hidden = self._dense(4 * units, 2, "feedforward_hidden", activation="gelu")
        self.feedforward_output = self._dense(units, 3, "feedforward_output")

    def build(self, input_shape: Any = None) -> None:
        """Build the dense layers."""
        for layer in (self.attention_norm, self.query_key_value, self.attention_output):
            layer.build((None, self.units))
        for layer in (self.feedforward_norm, self.feedforward_hidden):
            layer.build((None, self.units))
        self.feedforward_output.build((None, 4 * self.units))
        self.built = True

    def call(self, inputs: Tensor, attention_mask: Tensor) -> Tensor:
        """All steps at once; float32 [B, T, U] and bool [B or 1, T or 1, T], whom each attends to -> [B, T, U]."""
        query, key, value = self._project(inputs)
        return self._attend(inputs, query, key, value, attention_mask)

    def step(self, inputs: Tensor, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """One step further: [B, U], and keys and values [B, T, U] of those before -> [B, U] and both a step longer."""
        query, key, value = self._project(inputs[:, None])
        keys, values = ops.concatenate([keys, key], axis=1), ops.concatenate([values, value], axis=1)
        return self._attend(inputs[:, None], query, keys, values, None)[:, 0], keys, values

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        config: dict[str, Any] = super().get_config() | {"units": self.units, "heads": self.heads, "seed": self.seed}
        return config

    def _project(self, inputs: Tensor) -> list[Tensor]:
        """Query, key and value of each step; float32 [B, T, U] -> 3 x [B, T, U]."""
        projected: list[Tensor] = ops.split(self.query_key_value(self.attention_norm(inputs)), 3, axis=-1)
        return projected

    def _attend(self, inputs: Tensor, query: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
        query, keys, values = (self._by_head(each) for each in (query, keys, values))
        by_head = None if mask is None else mask[:, None]
        context = ops.dot_product_attention(query, keys, values, mask=by_head)
        inputs = inputs + self.attention_output(ops.reshape(context, ops.shape(inputs)))
        return inputs + self.feedforward_output(self.feedforward_hidden(self.feedforward_norm(inputs)))

    def _by_head(self, inputs: Tensor) -> Tensor:
        return ops.reshape(inputs, (*ops.shape(inputs)[:2], self.heads, self.units // self.heads))

    def _dense(self, units: int, offset: int, name: str, **options: Any) -> keras.layers.Dense:
        start = keras.initializers.GlorotUniform(self.seed + offset)
        return keras.layers.Dense(units, kernel_initializer=start, name=name, **options)


def sinusoids(positions: Tensor, units: int) -> Tensor:
    """Each position as sines and cosines of periods from 6 to 6,000 steps; [...] -> float32 [..., units]."""
    half = units // 2
    rates = ops.exp(ops.arange(half, dtype="float32") * (-log(_LONGEST_PERIOD) / max(half - 1, 1)))
    angles = ops.cast(positions, "float32")[..., None] * rates
    return ops.concatenate([ops.sin(angles), ops.cos(angles)], axis=-1)


def one_width(units: tuple[int, ...]) -> int:
    """The width that all blocks of a stack have; raises ValueError where they differ or it is odd."""
    if len(set(units)) != 1 or units[0] % 2:
        raise ValueError(f"blocks of attention need one even number of units, not {units}")
    return units[0]
