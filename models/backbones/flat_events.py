"""Events as one flat row of numbers, through dense layers."""

from typing import Any

import keras
from keras import ops

from models import fields
from models.backbones.event_inputs import EventInputs
from models.backbones.events import EncodedEvents
from models.special_ids import PADDING
from models.tensors import TensorBatch


@keras.saving.register_keras_serializable("larder")
class FlatEventBackbone(EventInputs):
    """Dense layers with batch normalisation over the latest events, padded and flattened, beside the static features.

    Events stand at the end of the row, so that the latest one is always at the same place, however many there are.

    Shapes: as in `models/fields.py`; the state has as many units as the last layer.
    Args:   n_events_read: latest events that are read; kwargs: of EventInputs.
    """

    def __init__(self, n_events: int, *, units: tuple[int, ...], n_events_read: int, **kwargs: Any) -> None:
        super().__init__(n_events, units, own={"n_events_read": n_events_read}, **kwargs)
        self.n_events_read, self.output_units = n_events_read, units[-1]
        self.dense = [
            keras.layers.Dense(
                size,
                kernel_initializer=keras.initializers.GlorotUniform(self.seed + 100 * depth),
                name=f"dense_{depth}",
            )
            for depth, size in enumerate(units)
        ]
        self.normalise = [
            keras.layers.BatchNormalization(momentum=0.9, name=f"normalise_{depth}") for depth in range(len(units))
        ]

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
