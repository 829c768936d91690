"""Whether a case is won, and how long each action takes."""

from typing import Any

import keras
from keras import ops

from models import fields
from models.backbones.events import EncodedEvents
from models.heads.binary import BinaryHead
from models.heads.head import Head
from models.heads.mean import MeanHead
from models.layers.event_features import EventFeatures
from models.special_ids import END, PADDING
from models.tensors import Tensor, TensorBatch


@keras.saving.register_keras_serializable("larder")
class WinHead(BinaryHead):
    """Probability that a case is won; an example whose outcome is not known has loss 0."""

    loss_names = ("win",)
    target, known, output_name = fields.TARGET_WON, fields.TARGET_WON_KNOWN, "win_probability"


@keras.saving.register_keras_serializable("larder")
class StepDaysHead(Head):
    """Mean days from an action to the one after it, given the case so far and which action follows.

    Shapes: B examples, S steps, C state.
    """

    loss_names = ("days",)

    def __init__(self, events: EventFeatures, state_units: int, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True  # the mask is in the state; Keras need not pass one on
        self.events, self.state_units = events, state_units
        self.mean = MeanHead(events.units + state_units, start=2.0, seed=seed, name="mean")

    def build(self, input_shape: Any = None) -> None:
        """Build the mean."""
        self.mean.build()
        self.built = True

    def call(self, state: EncodedEvents, batch: TensorBatch, training: bool = False) -> Tensor:
        """Mean days before each target event; float32 [B, S]."""
        return self.days(state, batch[fields.TARGET_EVENTS])

    def days(self, state: EncodedEvents, events: Tensor) -> Tensor:
        """Mean days before each of some events that follow; int32 [B, S] -> float32 [B, S]."""
        repeated = ops.repeat(state.state[:, None], ops.shape(events)[1], axis=1)
        return self.mean(ops.concatenate([self.events.lookup(events), repeated], axis=-1))

    def loss_per_example(self, outputs: Tensor, batch: TensorBatch) -> dict[str, Tensor]:
        """Gamma deviance of the days before each real event, their mean; float32 [B]."""
        targets = batch[fields.TARGET_EVENTS]
        is_event = ops.cast(ops.logical_and(targets != PADDING, targets != END), outputs.dtype)
        deviance = self.mean.loss(outputs, batch[fields.TARGET_DAYS]) * is_event
        per_event = ops.sum(deviance, axis=1) / ops.maximum(ops.sum(is_event, axis=1), 1.0)
        return {"days": per_event * batch[fields.EXAMPLE_WEIGHTS]}

    def get_config(self) -> dict[str, Any]:
        """Not possible alone: the head shares its events with the backbone, and the model makes both."""
        raise NotImplementedError("a step-days head is made by its model")
