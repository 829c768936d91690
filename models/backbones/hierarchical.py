"""The hierarchical encoder of LENS: products to baskets, baskets to the state of a funnel."""

from typing import Any

import keras
from keras import ops

from models import fields
from models.backbones.backbone import Backbone
from models.encoders.kinds import ENCODERS
from models.layers.customer_embedding import CustomerEmbedding
from models.layers.product_embedding import ProductEmbedding
from models.names import look_up
from models.special_ids import PADDING
from models.tensors import Tensor, TensorBatch


@keras.saving.register_keras_serializable("larder")
class HierarchicalBackbone(Backbone):
    """A session encoder over the products of each basket, then a behaviour encoder over a funnel's baskets.

    The state is that of the behaviour encoder beside the customer's vector.

    Shapes: as in `models/fields.py`; U session units, D behaviour units, E customer units; the state has D + E.
    Args:   n_products: vocabulary size, special indices included; n_customers: customers seen in training, plus one.
    Raises: ValueError: for an unknown kind of encoder.
    Source: LENS, section III and Table 1.
    """

    def __init__(
        self,
        n_products: int,
        n_customers: int,
        *,
        session_units: tuple[int, ...],
        behaviour_units: tuple[int, ...],
        session_encoder: str = "lstm",
        behaviour_encoder: str = "lstm",
        product_units: int = 128,
        products_frozen: bool = False,
        customer_units: int = 32,
        attribute_buckets: int = 0,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._arguments = {
            "n_products": n_products,
            "n_customers": n_customers,
            "session_units": list(session_units),
            "behaviour_units": list(behaviour_units),
            "session_encoder": session_encoder,
            "behaviour_encoder": behaviour_encoder,
            "product_units": product_units,
            "products_frozen": products_frozen,
            "customer_units": customer_units,
            "attribute_buckets": attribute_buckets,
            "seed": seed,
        }
        self.products = ProductEmbedding(n_products, product_units, frozen=products_frozen, seed=seed, name="products")
        self.customers = CustomerEmbedding(
            n_customers, customer_units, attribute_buckets, seed=seed + 1, name="customers"
        )
        self.session_encoder = look_up("session_encoder", session_encoder, ENCODERS)(
            product_units + 1, tuple(session_units), ordered=False, seed=seed + 1000, name="session_encoder"
        )
        self.behaviour_encoder = look_up("behaviour_encoder", behaviour_encoder, ENCODERS)(
            self.session_encoder.output_units + fields.N_BASKET_FEATURES,
            tuple(behaviour_units),
            seed=seed + 2000,
            name="behaviour_encoder",
        )
        self.output_units = self.behaviour_encoder.output_units + customer_units

    def build(self, input_shape: Any = None) -> None:
        """Build the embeddings and the encoders."""
        for layer in (self.products, self.customers, self.session_encoder, self.behaviour_encoder):
            layer.build()
        self.built = True

    def call(self, batch: TensorBatch, training: bool = False) -> Tensor:
        """State of each funnel; float32 [B, D + E]."""
        product_ids, rows = batch[fields.PRODUCT_IDS], batch[fields.BASKET_ROWS]
        lines = [self.products(product_ids), ops.log(1.0 + batch[fields.QUANTITIES])[..., None]]
        _, sessions = self.session_encoder(ops.concatenate(lines, -1), mask=product_ids != PADDING, training=training)
        baskets = ops.concatenate([sessions, batch[fields.BASKET_FEATURE_VALUES]], axis=-1)
        # Row 0 of the padded array stands for every padded basket.
        timeline = ops.take(ops.pad(baskets, [[1, 0], [0, 0]]), rows, axis=0)
        _, state = self.behaviour_encoder(timeline, mask=rows > 0, training=training)
        customers = self.customers(batch[fields.CUSTOMER_IDS], batch[fields.ATTRIBUTES])
        return ops.concatenate([state, customers], axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        config: dict[str, Any] = super().get_config() | self._arguments
        return config
