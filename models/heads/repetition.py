"""Which of a customer's own products come back."""

from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

IMPOSSIBLE = -1e9  # a log probability
_RARELY = -2.5  # log odds: about one product of the past in thirteen is in the next basket


@dataclass(frozen=True)
class Past:
    """What is known of the own products of B customers, H each.

    products: int32 [B, H]; is_own: bool [B, H], False where padded or not in the vocabulary; copy, presence: float32
    [B, H], see RepetitionHead; log_units: float32 [B, H], log(1 + units at a time).
    """

    products: Any
    is_own: Any
    copy: Any
    presence: Any
    log_units: Any

    def holds(self, products: Any) -> Any:
        """Which own product each of the products is; int32 [B, S] -> bool [B, S, H]."""
        return ops.logical_and(products[:, :, None] == self.products[:, None], self.is_own[:, None])

    def log_copied(self, same: Any, places: Any, steps: Any) -> tuple[Any, Any]:
        """Log probability that the true product is the one copied, and whether any is left to copy; [M], [M].

        Args: same: bool [B, S, H], `holds` of the true baskets; places: int32 [M], positions among all B x S steps.
        """
        counted = ops.cast(same, "int32")
        written = ops.cumsum(counted, axis=1) - counted
        left = ops.logical_and(self.is_own[:, None], written == 0)
        width = ops.shape(self.products)[1]
        same, left = (ops.take(ops.reshape(each, (-1, width)), places, axis=0) for each in (same, left))
        scores = ops.where(left, ops.take(self.copy, places // steps, axis=0), IMPOSSIBLE)
        of_target = ops.logsumexp(ops.where(same, scores, IMPOSSIBLE), axis=-1)
        log_copied = of_target - ops.logsumexp(scores, axis=-1)
        return ops.where(ops.any(same, axis=-1), log_copied, IMPOSSIBLE), ops.any(left, axis=-1)

    def copied(self, allowed: Any) -> tuple[Any, Any]:
        """Probability of each own product to be the one copied, and whether any is left; [B, H], [B].

        Args: allowed: float32 [B, V], 0 for products that are written already.
        """
        unwritten = ops.take_along_axis(allowed, self.products, axis=1) > 0
        left = ops.logical_and(self.is_own, unwritten)
        copied = ops.softmax(ops.where(left, self.copy, IMPOSSIBLE), axis=-1)
        return ops.where(left, copied, 0.0), ops.any(left, axis=-1)

    def over_vocabulary(self, values: Any, n_products: int) -> Any:
        """Values of own products in their columns, 0 elsewhere; float32 [B, H] -> [B, V]."""
        values = ops.where(self.is_own, values, 0.0)
        rows = ops.broadcast_to(ops.arange(ops.shape(self.products)[0])[:, None], ops.shape(self.products))
        indices = ops.stack([ops.reshape(rows, (-1,)), ops.reshape(self.products, (-1,))], axis=1)
        shape = (ops.shape(self.products)[0], n_products)
        return ops.scatter(indices, ops.reshape(values, (-1,)), shape)

    def loss(self, is_bought: Any) -> Any:
        """Binary cross-entropy of presence, summed over each customer's own products; bool [B, H] -> [B]."""
        surprise = ops.softplus(self.presence) - ops.where(is_bought, self.presence, 0.0)
        return ops.sum(ops.where(self.is_own, surprise, 0.0), axis=-1)


@keras.saving.register_keras_serializable("larder")
class RepetitionHead(keras.layers.Layer):
    """Two scores for each product of the past: for being written next, and for being in the next basket at all.

    Why beside the decoder: a vector that sums up a history no longer tells what was in it, and most of what methods
    by frequency and neighbours know about a next basket is what came before.

    Shapes: B customers, H products of each past, F features of each, C context.
    Source: pointer networks as in See, Liu, Manning, "Get To The Point", ACL 2017; repeat and explore modes as in Ren
            et al., "RepeatNet", AAAI 2019. Differs in reading counts and times of purchases instead of positions.
    """

    def __init__(self, input_units: int, context_units: int, units: int, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.input_units, self.context_units = input_units, context_units
        self.units, self.seed = units, seed
        self.of_product = self._dense(units, 0, "of_product")
        self.of_customer = self._dense(units, 1, "of_customer")
        self.hidden = self._dense(units, 2, "hidden")
        self.copy = keras.layers.Dense(
            1, kernel_initializer=keras.initializers.GlorotUniform(seed + 3), use_bias=False, name="copy"
        )
        self.presence = keras.layers.Dense(
            1,
            kernel_initializer=keras.initializers.GlorotUniform(seed + 4),
            bias_initializer=keras.initializers.Constant(_RARELY),
            name="presence",
        )

    def build(self, input_shape: Any = None) -> None:
        """Build the dense layers."""
        self.of_product.build((None, self.input_units))
        self.of_customer.build((None, self.context_units))
        for layer in (self.hidden, self.copy, self.presence):
            layer.build((None, self.units))
        self.built = True

    def call(self, features: Any, context: Any) -> tuple[Any, Any]:
        """Log scores of being written next and log odds of being in the basket; [B, H, F], [B, C] -> 2 x [B, H]."""
        read = ops.silu(self.of_product(features) + self.of_customer(context)[:, None])
        read = ops.silu(self.hidden(read))
        return self.copy(read)[..., 0], self.presence(read)[..., 0]

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return super().get_config() | {
            "input_units": self.input_units,
            "context_units": self.context_units,
            "units": self.units,
            "seed": self.seed,
        }

    def _dense(self, units: int, offset: int, name: str) -> Any:
        start = keras.initializers.GlorotUniform(self.seed + offset)
        return keras.layers.Dense(units, kernel_initializer=start, name=name)
