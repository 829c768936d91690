"""The encoder of a row of events: purchases of a customer, actions of a case."""

from typing import Any, NamedTuple

import keras
from keras import ops

from models import fields
from models.backbones.event_inputs import EventInputs
from models.encoders.encoder import Encoder
from models.encoders.recurrent_encoder import RecurrentEncoder
from models.encoders.transformer_encoder import TransformerEncoder
from models.names import look_up
from models.special_ids import PADDING
from models.tensors import Tensor, TensorBatch

EVENT_ENCODERS: dict[str, type[Encoder]] = {"lstm": RecurrentEncoder, "transformer": TransformerEncoder}


class EncodedEvents(NamedTuple):
    """What heads read of a row of events.

    Args: state: float32 [B, C]; steps: float32 [B, T, D], one per event; mask: bool [B, T], True where there is one.
    """

    state: Tensor
    steps: Tensor
    mask: Tensor


@keras.saving.register_keras_serializable("larder")
class EventBackbone(EventInputs):
    """An encoder over events with their values, started from what is known of the example from its beginning.

    The state holds the encoder's state, the features of the latest event, and the static features; numbers that are
    passed on come last, and no dropout touches them. A recurrent encoder also begins in hidden and cell states that a
    dense layer makes from the static features.

    Shapes: as in `models/fields.py`; D encoder outputs, I event features, F static features; C = D + I + F.
    Args:   encoder: a name in EVENT_ENCODERS; units: of each of its layers, in one direction; kwargs: of EventInputs.
    Source: Bahdanau et al., "Neural Machine Translation by Jointly Learning to Align and Translate", ICLR 2015 (the
            encoder); static features in the initial state as in image captioning, Vinyals et al., CVPR 2015.
    """

    def __init__(self, n_events: int, *, units: tuple[int, ...], encoder: str = "lstm", **kwargs: Any) -> None:
        super().__init__(n_events, units, own={"encoder": encoder}, **kwargs)
        kind = look_up("encoder", encoder, EVENT_ENCODERS)
        self.encoder = kind(self.events.output_units, tuple(units), seed=self.seed + 1000, name="encoder")
        self.starts_from_static = encoder == "lstm"
        if self.starts_from_static:
            self.start = keras.layers.Dense(
                4 * units[0],
                activation="tanh",
                kernel_initializer=keras.initializers.GlorotUniform(self.seed + 2000),
                name="start",
            )
        self.output_units = self.encoder.output_units + self.events.output_units + self.static.output_units

    def build(self, input_shape: Any = None) -> None:
        """Build each part."""
        for layer in (self.events, self.static, self.encoder):
            layer.build()
        if self.starts_from_static:
            self.start.build((None, self.static.output_units))
        self.built = True

    def call(self, batch: TensorBatch, training: bool = False) -> EncodedEvents:
        """Encode; every example has at least one event."""
        mask = batch[fields.EVENT_IDS] != PADDING
        inputs, static = self.events(batch), self.static(batch)
        options = {"start": self.start(static)} if self.starts_from_static else {}
        steps, state = self.encoder(inputs, mask=mask, training=training, **options)
        latest = ops.sum(ops.cast(mask, "int32"), axis=1) - 1
        of_latest = ops.take_along_axis(inputs, latest[:, None, None], axis=1)[:, 0]
        made = ops.concatenate([state, of_latest, static[:, : self.static.units]], axis=-1)
        state = ops.concatenate([self.dropout(made, training=training), static[:, self.static.units :]], axis=-1)
        return EncodedEvents(state, steps, mask)
