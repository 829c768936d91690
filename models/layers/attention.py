"""What a Transformer is made of: blocks of self-attention, and where in a sequence a step stands."""

from math import log
from typing import Any

import keras
from keras import ops

_LONGEST_PERIOD = 1000.0  # steps


@keras.saving.register_keras_serializable("larder")
class AttentionBlock(keras.layers.Layer):
    """Self-attention, then two dense layers; each reads its input normalised and adds to it.

    Normalised before rather than after, so that training needs no warming up.

    Shapes: B sequences, T steps, U units.
    Args:   units: U, a multiple of heads; heads: parts in which each step looks elsewhere.
    Raises: ValueError: where U is no multiple of heads.
    Source: Vaswani et al., "Attention Is All You Need", NeurIPS 2017; the order of normalisation is that of Xiong et
            al., "On Layer Normalization in the Transformer Architecture", ICML 2020.
    """

    def __init__(self, units: int, heads: int = 4, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if units % heads:
            raise ValueError(f"{units} units cannot be shared by {heads} heads; choose a multiple of {heads}")
        self.units, self.heads, self.seed = units, heads, seed
        self.before_looking = keras.layers.LayerNormalization(name="before_looking")
        self.before_thinking = keras.layers.LayerNormalization(name="before_thinking")
        self.look = self._dense(3 * units, 0, "look")
        self.seen = self._dense(units, 1, "seen")
        self.hidden = self._dense(4 * units, 2, "hidden", activation="gelu")
        self.thought = self._dense(units, 3, "thought")

    def build(self, input_shape: Any = None) -> None:
        """Build the dense layers."""
        for layer in (self.before_looking, self.before_thinking, self.look, self.seen, self.hidden):
            layer.build((None, self.units))
        self.thought.build((None, 4 * self.units))
        self.built = True

    def call(self, inputs: Any, visible: Any) -> Any:
        """All steps at once; float32 [B, T, U] and bool [B or 1, T or 1, T], which steps each may see -> [B, T, U]."""
        query, key, value = self._looks(inputs)
        return self._answer(inputs, query, key, value, visible)

    def step(self, inputs: Any, keys: Any, values: Any) -> tuple[Any, Any, Any]:
        """One step further: [B, U], and keys and values [B, T, U] of those before -> [B, U] and both a step longer."""
        query, key, value = self._looks(inputs[:, None])
        keys, values = ops.concatenate([keys, key], axis=1), ops.concatenate([values, value], axis=1)
        return self._answer(inputs[:, None], query, keys, values, None)[:, 0], keys, values

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return super().get_config() | {"units": self.units, "heads": self.heads, "seed": self.seed}

    def _looks(self, inputs: Any) -> list[Any]:
        looks: list[Any] = ops.split(self.look(self.before_looking(inputs)), 3, axis=-1)
        return looks

    def _answer(self, inputs: Any, query: Any, keys: Any, values: Any, visible: Any) -> Any:
        query, keys, values = (self._by_head(each) for each in (query, keys, values))
        mask = None if visible is None else visible[:, None]
        seen = ops.dot_product_attention(query, keys, values, mask=mask)
        inputs = inputs + self.seen(ops.reshape(seen, ops.shape(inputs)))
        return inputs + self.thought(self.hidden(self.before_thinking(inputs)))

    def _by_head(self, inputs: Any) -> Any:
        return ops.reshape(inputs, (*ops.shape(inputs)[:2], self.heads, self.units // self.heads))

    def _dense(self, units: int, offset: int, name: str, **options: Any) -> Any:
        start = keras.initializers.GlorotUniform(self.seed + offset)
        return keras.layers.Dense(units, kernel_initializer=start, name=name, **options)


def sinusoids(positions: Any, units: int) -> Any:
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
