"""One vector per product, for reading baskets and for scoring the next product."""

from typing import Any

import keras
import numpy as np
from keras import ops

from models.special_ids import END, FIRST_PRODUCT
from models.tensors import Tensor

_NEVER = -1e9
_START = 0.3
_TINY = 1e-30


@keras.saving.register_keras_serializable("larder")
class ProductEmbedding(keras.layers.Layer):
    """Product vectors, shared by input and output.

    Scores are products with the same vectors plus one bias per product, so that a rare product's score is learned from
    reading it as well, and the softmax layer costs `units` rather than the decoder's width per product. Scores are
    divided by the root of the units: RMSprop moves every element of a row by about its step in the same batch, and
    without the division one batch moves a popular product's score by more than the scores differ.

    Shapes: V vocabulary, E units.
    Args:   n_products: V, special indices included.
            units: E.
            frozen: whether the vectors stay as they start; the biases learn.
    """

    def __init__(self, n_products: int, units: int, frozen: bool = False, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n_products, self.units, self.frozen, self.seed = n_products, units, frozen, seed

    def build(self, input_shape: Any = None) -> None:
        """Create the vectors and the biases."""
        start = keras.initializers.RandomNormal(stddev=_START, seed=self.seed)
        self.vectors = self.add_weight(
            name="vectors", shape=(self.n_products, self.units), initializer=start, trainable=not self.frozen
        )
        self.bias = self.add_weight(name="bias", shape=(self.n_products,), initializer="zeros")
        blocked = np.zeros(self.n_products, np.float32)
        blocked[:FIRST_PRODUCT] = _NEVER
        blocked[END] = 0.0
        self._blocked = blocked
        self.built = True

    def call(self, product_ids: Tensor) -> Tensor:
        """Vectors of the products; int32 [...] -> float32 [..., E]."""
        return ops.take(self.vectors, product_ids, axis=0)

    def logits(self, states: Tensor) -> Tensor:
        """Scores of every product and of the end; padding and unknown never win. float32 [..., E] -> [..., V]."""
        return ops.matmul(self._with_one(states), ops.transpose(self._with_bias()))

    def log_likelihood(self, states: Tensor, targets: Tensor) -> Tensor:
        """Log probability of a target among all products and the end; float32 [M, E], int32 [M] -> float32 [M].

        The same as by `logits`, with a gradient written out: scores of a whole vocabulary are most of the work of
        training, and each pass over them costs as much as its arithmetic. The probabilities are computed once, for
        value and gradient.
        """

        def log_probability(states: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
            probabilities = ops.softmax(ops.matmul(states, ops.transpose(rows)))
            of_target = ops.take_along_axis(probabilities, targets[:, None], axis=-1)[:, 0]

            def gradient(upstream: Tensor) -> tuple[Tensor, Tensor]:
                weighted = upstream[:, None] * states
                d_states = upstream[:, None] * (ops.take(rows, targets, axis=0) - ops.matmul(probabilities, rows))
                d_rows = ops.segment_sum(weighted, targets, self.n_products)
                return d_states, d_rows - ops.matmul(ops.transpose(probabilities), weighted)

            return ops.log(ops.maximum(of_target, _TINY)), gradient

        return ops.custom_gradient(log_probability)(self._with_one(states), self._with_bias())

    def start_from_popularity(self, counts: np.ndarray) -> None:
        """Make the untrained scores those of the popularity list: biases become log shares of all lines.

        The share of the end is one per basket of the mean size, which `counts[END]` (the number of baskets) gives.
        """
        smoothed = np.maximum(np.asarray(counts, np.float64), 0.5)
        smoothed[: FIRST_PRODUCT - 1] = 1.0
        log_share = np.log(smoothed / smoothed[END:].sum())
        log_share[: FIRST_PRODUCT - 1] = 0.0
        self.bias.assign(log_share.astype(np.float32))

    def start_from_vectors(self, vectors: np.ndarray) -> None:
        """Begin on vectors of standard deviation 1, float32 [V, E]; a product whose row is 0 keeps its random start."""
        known = vectors.any(axis=1, keepdims=True)
        self.vectors.assign(np.where(known, _START * vectors, ops.convert_to_numpy(self.vectors)))

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        sizes = {"n_products": self.n_products, "units": self.units}
        config: dict[str, Any] = super().get_config() | sizes | {"frozen": self.frozen, "seed": self.seed}
        return config

    def _with_one(self, states: Tensor) -> Tensor:
        """States to be multiplied with `_with_bias`, [..., E + 1]: a bias that is one more unit spares a pass."""
        states = states * self.units**-0.5
        return ops.concatenate([states, ops.ones_like(states[..., :1])], axis=-1)

    def _with_bias(self) -> Tensor:
        return ops.concatenate([self.vectors, (self.bias + self._blocked)[:, None]], axis=-1)
