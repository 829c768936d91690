"""A trained vector per customer (LENS: uniform random at the start, trained jointly), and what attributes add."""

from typing import Any

import keras
from keras import ops

from models.tensors import Tensor


@keras.saving.register_keras_serializable("larder")
class CustomerEmbedding(keras.layers.Layer):
    """Customer vectors; row 0 is the customer who was not seen in training.

    Row 0 starts at zero and is trained on examples whose customer is withheld, so that it stands for a customer about
    whom nothing but the baskets is known. Each attribute of a customer, such as the age group, adds a vector of its
    own, which starts at zero: of a customer not seen in training, too. Attributes find theirs by their hash, so that
    one that training never saw needs no row of its own.

    Shapes: C customers, U units.
    Args:   attribute_buckets: how many vectors the attributes share; 0: attributes are not read.
    Raises: ValueError: for attributes without units to add to.
    """

    def __init__(self, n_customers: int, units: int, attribute_buckets: int = 0, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if attribute_buckets > 0 and units == 0:
            raise ValueError("attributes add to customers' vectors: set customer_units, or attribute_buckets to 0")
        self.n_customers, self.units = n_customers, units
        self.attribute_buckets, self.seed = attribute_buckets, seed

    def build(self, input_shape: Any = None) -> None:
        """Create the vectors: the defined one apart, so that its start is exactly zero."""
        start = keras.initializers.RandomUniform(-0.05, 0.05, seed=self.seed)
        self.vectors = self.add_weight(name="vectors", shape=(self.n_customers, self.units), initializer=start)
        self.unseen = self.add_weight(name="unseen", shape=(self.units,), initializer="zeros")
        if self.attribute_buckets > 0:
            shape = (self.attribute_buckets, self.units)
            self.of_attributes = self.add_weight(name="of_attributes", shape=shape, initializer="zeros")
        self.built = True

    def call(self, customer_ids: Tensor, attributes: Tensor) -> Tensor:
        """int32 [B], and hashed attributes int32 [B, A], 0 for none -> float32 [B, U]."""
        is_known = ops.cast(customer_ids > 0, self.compute_dtype)[:, None]
        vectors = is_known * ops.take(self.vectors, customer_ids, axis=0) + (1.0 - is_known) * self.unseen
        if self.attribute_buckets == 0:
            return vectors
        added = ops.take(self.of_attributes, attributes % self.attribute_buckets, axis=0)
        given = ops.cast(attributes > 0, self.compute_dtype)[..., None]
        return vectors + ops.sum(given * added, axis=1)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        sizes = {"n_customers": self.n_customers, "units": self.units, "attribute_buckets": self.attribute_buckets}
        config: dict[str, Any] = super().get_config() | sizes | {"seed": self.seed}
        return config
