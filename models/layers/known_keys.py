"""What the model was trained on, kept inside its file."""

from typing import Any

import keras
import numpy as np


@keras.saving.register_keras_serializable("larder")
class KnownKeys(keras.layers.Layer):
    """The key of each product row and each customer row; no weight: no optimizer or strategy ever touches it.

    Args:
        product_keys:  int64 [V]; key of each product index, 0 for padding, unknown and end.
        customer_keys: int64 [C]; key of each customer index, 0 for the customer who was not seen in training.
    """

    def __init__(self, n_products: int, n_customers: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.product_keys = np.zeros(n_products, np.int64)
        self.customer_keys = np.zeros(n_customers, np.int64)
        self.built = True

    def assign(self, product_keys: np.ndarray, customer_keys: np.ndarray) -> None:
        """Set both; raises ValueError when a length differs from the model's."""
        for name, keys in (("product_keys", product_keys), ("customer_keys", customer_keys)):
            expected = getattr(self, name).shape
            if keys.shape != expected:
                raise ValueError(f"{name} has shape {keys.shape}; this model needs {expected}")
            setattr(self, name, np.asarray(keys, np.int64))

    def save_own_variables(self, store: Any) -> None:
        """Write both into the model file."""
        store["product_keys"] = self.product_keys
        store["customer_keys"] = self.customer_keys

    def load_own_variables(self, store: Any) -> None:
        """Read both from the model file."""
        self.assign(np.array(store["product_keys"]), np.array(store["customer_keys"]))

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        sizes = {"n_products": len(self.product_keys), "n_customers": len(self.customer_keys)}
        config: dict[str, Any] = super().get_config() | sizes
        return config
