"""Which of the candidates are bought: products of the customer's own past, and those that other customers point to."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

IMPOSSIBLE = -1e9  # a log probability
_SAME = 1e-3  # a deviation
# RMSprop moves every weight about as far. Weights that start smaller and are read enlarged move the scores further a
# step: these few learn four times as fast as the recurrent layers can bear.
_GAIN = 4.0
_RARELY = -2.5  # log odds: about one product of the past in thirteen is in the next basket


@dataclass(frozen=True)
class Pointers:
    """What is known of the candidates of B customers, C each.

    products: int32 [B, C]; is_candidate: bool [B, C], False where padded or not in the vocabulary; copy, presence:
    float32 [B, C], see PointerHead; log_units: float32 [B, C], log(1 + units at a time), 0 where never bought.
    """

    products: Any
    is_candidate: Any
    copy: Any
    presence: Any
    log_units: Any

    def holds(self, products: Any) -> Any:
        """Which candidate each of the products is; int32 [B, S] -> bool [B, S, C]."""
        return ops.logical_and(products[:, :, None] == self.products[:, None], self.is_candidate[:, None])

    def repeated(self, times: int) -> "Pointers":
        """Every customer so many times, one after another."""
        parts = (self.products, self.is_candidate, self.copy, self.presence, self.log_units)
        return Pointers(*(ops.repeat(part, times, axis=0) for part in parts))

    def log_copied(self, same: Any, places: Any, steps: Any) -> tuple[Any, Any]:
        """Log probability that the true product is the one copied, and whether any is left to copy; [M], [M].

        Args: same: bool [B, S, C], `holds` of the true baskets; places: int32 [M], positions among all B x S steps.
        """
        counted = ops.cast(same, "int32")
        written = ops.cumsum(counted, axis=1) - counted
        left = ops.logical_and(self.is_candidate[:, None], written == 0)
        width = ops.shape(self.products)[1]
        same, left = (ops.take(ops.reshape(each, (-1, width)), places, axis=0) for each in (same, left))
        scores = ops.where(left, ops.take(self.copy, places // steps, axis=0), IMPOSSIBLE)
        of_target = ops.logsumexp(ops.where(same, scores, IMPOSSIBLE), axis=-1)
        log_copied = of_target - ops.logsumexp(scores, axis=-1)
        return ops.where(ops.any(same, axis=-1), log_copied, IMPOSSIBLE), ops.any(left, axis=-1)

    def copied(self, allowed: Any) -> tuple[Any, Any]:
        """Probability of each candidate to be the one copied, and whether any is left; [B, C], [B].

        Args: allowed: float32 [B, V], 0 for products that are written already.
        """
        unwritten = ops.take_along_axis(allowed, self.products, axis=1) > 0
        left = ops.logical_and(self.is_candidate, unwritten)
        copied = ops.softmax(ops.where(left, self.copy, IMPOSSIBLE), axis=-1)
        return ops.where(left, copied, 0.0), ops.any(left, axis=-1)

    def over_vocabulary(self, values: Any, n_products: int) -> Any:
        """Values of candidates in their columns, 0 elsewhere; float32 [B, C] -> [B, V]."""
        values = ops.where(self.is_candidate, values, 0.0)
        rows = ops.broadcast_to(ops.arange(ops.shape(self.products)[0])[:, None], ops.shape(self.products))
        indices = ops.stack([ops.reshape(rows, (-1,)), ops.reshape(self.products, (-1,))], axis=1)
        shape = (ops.shape(self.products)[0], n_products)
        return ops.scatter(indices, ops.reshape(values, (-1,)), shape)

    def loss(self, is_bought: Any) -> Any:
        """Binary cross-entropy of presence, summed over each customer's candidates; bool [B, C] -> [B]."""
        surprise = ops.softplus(self.presence) - ops.where(is_bought, self.presence, 0.0)
        return ops.sum(ops.where(self.is_candidate, surprise, 0.0), axis=-1)


@keras.saving.register_keras_serializable("larder")
class PointerHead(keras.layers.Layer):
    """Two scores for each candidate: for being written next, and for being in the next basket at all.

    Why beside the decoder: a vector that sums up a history no longer tells what was in it, and most of what methods
    by frequency and neighbours know about a next basket is what came before, of this customer and of similar ones.

    Shapes: B customers, C candidates each, F numbers as candidate_features for each.
    Source: pointer networks as in See, Liu, Manning, "Get To The Point", ACL 2017; repeat and explore modes as in Ren
            et al., "RepeatNet", AAAI 2019. Differs in reading counts and times of purchases instead of positions, and
            in pointing to what similar customers bought as well.
    """

    def __init__(self, input_units: int, units: int, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.input_units, self.units, self.seed = input_units, units, seed
        self.of_candidate = self._dense(units, 0, "of_candidate")
        self.hidden = self._dense(units, 1, "hidden")
        self.copy = self._dense(1, 2, "copy", use_bias=False)
        self.presence = self._dense(1, 3, "presence", bias_initializer=keras.initializers.Constant(_RARELY))

    def build(self, input_shape: Any = None) -> None:
        """Build the dense layers."""
        self.of_candidate.build((None, self.input_units))
        for layer in (self.hidden, self.copy, self.presence):
            layer.build((None, self.units))
        size = (self.input_units,)
        self.mean = self.add_weight(shape=size, initializer="zeros", trainable=False, name="mean")
        self.deviation = self.add_weight(shape=size, initializer="ones", trainable=False, name="deviation")
        self.built = True

    def adapt(self, candidate_features: np.ndarray, is_candidate: np.ndarray) -> None:
        """Standardise by these features from now on; float32 [B, C, F], bool [B, C].

        Without it, numbers that vary little among candidates are learned slowly, and the ranking suffers most by that.
        """
        seen = candidate_features[is_candidate]
        if len(seen) > 1:
            deviation = seen.std(axis=0)
            self.mean.assign(seen.mean(axis=0))
            # What is the same for all so far tells nothing, and must not become loud when it first differs.
            self.deviation.assign(np.where(deviation > _SAME, deviation, 1.0))

    def call(self, candidate_features: Any) -> tuple[Any, Any]:
        """Log scores of being written next and log odds of being in the basket; [B, C, F] -> 2 x [B, C]."""
        read = ops.silu(self.of_candidate(_GAIN * (candidate_features - self.mean) / self.deviation))
        read = _GAIN * ops.silu(self.hidden(_GAIN * read))
        return self.copy(read)[..., 0], self.presence(read)[..., 0]

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        sizes = {"input_units": self.input_units, "units": self.units, "seed": self.seed}
        return super().get_config() | sizes

    def _dense(self, units: int, offset: int, name: str, **options: Any) -> Any:
        start = keras.initializers.VarianceScaling(_GAIN**-2, "fan_avg", "uniform", seed=self.seed + offset)
        return keras.layers.Dense(units, kernel_initializer=start, name=name, **options)
