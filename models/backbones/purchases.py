"""The encoder of a customer's purchases: events that each hold a set of offers."""

from typing import Any

import keras
from keras import ops

from models import offer_fields
from models.backbones.backbone import Backbone
from models.encoders.kinds import ENCODERS
from models.names import look_up
from models.special_ids import PADDING
from models.tensors import Tensor, TensorBatch


@keras.saving.register_keras_serializable("larder")
class PurchasesBackbone(Backbone):
    """An encoder over events: the vector of the dearest offer, the sum of the set's vectors, and the event's features.

    The state is that of the encoder beside the features of the latest event.

    Shapes: as in `models/offer_fields.py`; U offer units, D encoder outputs, F event features; the state has D + F.
    Args:   n_offers: V; units: of each layer of the encoder; reads_sets: False reads the dearest offer alone.
    Raises: ValueError: for an unknown kind of encoder.
    """

    def __init__(
        self,
        n_offers: int,
        *,
        units: tuple[int, ...] = (64,),
        encoder: str = "lstm",
        offer_units: int = 48,
        reads_sets: bool = True,
        dropout: float = 0.3,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._arguments = {
            "n_offers": n_offers,
            "units": list(units),
            "encoder": encoder,
            "offer_units": offer_units,
            "reads_sets": reads_sets,
            "dropout": dropout,
            "seed": seed,
        }
        self.n_offers, self.offer_units, self.reads_sets, self.seed = n_offers, offer_units, reads_sets, seed
        width = offer_units * (1 + reads_sets) + offer_fields.N_EVENT_FEATURES
        self.encoder = look_up("encoder", encoder, ENCODERS)(width, tuple(units), seed=seed + 1000, name="encoder")
        self.dropout = keras.layers.Dropout(dropout, seed=seed + 2000, name="dropout")
        self.output_units = self.encoder.output_units + offer_fields.N_EVENT_FEATURES

    def build(self, input_shape: Any = None) -> None:
        """Create the vectors and build the encoder."""
        start = keras.initializers.RandomNormal(stddev=0.1, seed=self.seed)
        self.tops = self.add_weight(name="tops", shape=(self.n_offers, self.offer_units), initializer=start)
        if self.reads_sets:
            start = keras.initializers.RandomNormal(stddev=0.1, seed=self.seed + 1)
            self.members = self.add_weight(name="members", shape=(self.n_offers, self.offer_units), initializer=start)
        self.encoder.build()
        self.built = True

    def call(self, batch: TensorBatch, training: bool = False) -> Tensor:
        """State of each example; float32 [B, D + F]."""
        offers, features = batch[offer_fields.EVENT_OFFERS], batch[offer_fields.EVENT_FEATURE_VALUES]
        mask = offers[:, :, 0] != PADDING
        parts = [ops.take(self.tops, offers[:, :, 0], axis=0)]
        if self.reads_sets:
            is_real = ops.cast(offers != PADDING, features.dtype)[..., None]
            parts.append(ops.sum(ops.take(self.members, offers, axis=0) * is_real, axis=2))
        _, state = self.encoder(ops.concatenate([*parts, features], axis=-1), mask=mask, training=training)
        latest = ops.sum(ops.cast(mask, "int32"), axis=1) - 1
        of_latest = ops.take_along_axis(features, latest[:, None, None], axis=1)[:, 0]
        return ops.concatenate([self.dropout(state, training=training), of_latest], axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        config: dict[str, Any] = super().get_config() | self._arguments
        return config
