"""One trained vector per customer (LENS: uniform random at the start, trained jointly)."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("larder")
class CustomerEmbedding(keras.layers.Layer):
    """Customer vectors; row 0 is the customer who was not seen in training.

    Row 0 starts at zero and is trained on examples whose customer is withheld, so that it stands for a customer about
    whom nothing but the baskets is known.

    Shapes: C customers, U units.
    """

    def __init__(self, n_customers: int, units: int, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n_customers, self.units, self.seed = n_customers, units, seed

    def build(self, input_shape: Any = None) -> None:
        """Create the vectors: the defined one apart, so that its start is exactly zero."""
        start = keras.initializers.RandomUniform(-0.05, 0.05, seed=self.seed)
        self.vectors = self.add_weight(name="vectors", shape=(self.n_customers, self.units), initializer=start)
        self.unseen = self.add_weight(name="unseen", shape=(self.units,), initializer="zeros")
        self.built = True

    def call(self, customer_ids: Any) -> Any:
        """int32 [B] -> float32 [B, U]."""
        seen = ops.cast(customer_ids > 0, self.compute_dtype)[:, None]
        return seen * ops.take(self.vectors, customer_ids, axis=0) + (1.0 - seen) * self.unseen

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return super().get_config() | {"n_customers": self.n_customers, "units": self.units, "seed": self.seed}
