"""Events as one flat row of numbers, through dense layers."""

from typing import Any

import keras
from keras import ops

from models import fields
from models.backbones.backbone import Backbone
from models.backbones.events import EncodedEvents
from models.layers.event_features import EventFeatures, StaticFeatures
from models.special_ids import PADDING
from models.tensors import TensorBatch


@keras.saving.register_keras_serializable("larder")
class FlatEventBackbone(Backbone):
    """Dense layers with batch normalisation over the latest events, padded and flattened, beside the static features.

    Events stand at the end of the row, so that the latest one is always at the same place, however many there are.

    Shapes: as in `models/fields.py`; the state has as many units as the last layer.
    Args:   n_events_read: latest events that are read.
    """

    def __init__(
        self,
        n_events: int,
        *,
        units: tuple[int, ...],
        n_events_read: int,
        event_units: int = 32,
        static_units: int = 32,
        attribute_buckets: int = 256,
        n_numbers: int = 0,
        dropout: float = 0.2,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._arguments = {
            "n_events": n_events,
            "units": list(units),
            "n_events_read": n_events_read,
            "event_units": event_units,
            "static_units": static_units,
            "attribute_buckets": attribute_buckets,
            "n_numbers": n_numbers,
            "dropout": dropout,
            "seed": seed,
        }
        self.n_events_read, self.output_units = n_events_read, units[-1]
        self.events = EventFeatures(n_events, event_units, seed=seed, name="events")
        self.static = StaticFeatures(attribute_buckets, n_numbers, static_units, seed=seed + 1, name="static")
        self.dense = [
            keras.layers.Dense(
                size, kernel_initializer=keras.initializers.GlorotUniform(seed + 100 * depth), name=f"dense_{depth}"
            )
            for depth, size in enumerate(units)
        ]
        self.normalise = [
            keras.layers.BatchNormalization(momentum=0.9, name=f"normalise_{depth}") for depth in range(len(units))
        ]
        self.dropout = keras.layers.Dropout(dropout, seed=seed + 3000, name="dropout")

    def build(self, input_shape: Any = None) -> None:
        """Build each layer on the width of the one below."""
        self.events.build()
        self.static.build()
        width = self.n_events_read * self.events.output_units + self.static.output_units
        for dense, normalise in zip(self.dense, self.normalise, strict=True):
            dense.build((None, width))
            width = dense.units
            normalise.build((None, width))
        self.built = True

    def call(self, batch: TensorBatch, training: bool = False) -> EncodedEvents:
        """Encode; every example has at least one event."""
        mask = batch[fields.EVENT_IDS] != PADDING
        steps = self.events(batch)
        real = ops.sum(ops.cast(mask, "int32"), axis=1)
        position = real[:, None] - self.n_events_read + ops.arange(self.n_events_read)[None]
        read = ops.take_along_axis(steps, ops.maximum(position, 0)[..., None], axis=1)
        read = read * ops.cast(position >= 0, read.dtype)[..., None]
        flat = ops.reshape(read, (-1, self.n_events_read * self.events.output_units))
        state = ops.concatenate([flat, self.static(batch)], axis=-1)
        for dense, normalise in zip(self.dense, self.normalise, strict=True):
            state = ops.silu(normalise(dense(state), training=training))
        return EncodedEvents(self.dropout(state, training=training), steps, mask)

    def adapt(self, batch: Any) -> None:
        """Fit the standardisation of moments and numbers to the arrays of training examples; before any training."""
        self.events.adapt(batch)
        self.static.adapt(batch)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        config: dict[str, Any] = super().get_config() | self._arguments
        return config
