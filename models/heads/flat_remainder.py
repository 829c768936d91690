"""The events that are still to come, all steps at once."""

from typing import Any

import keras
from keras import ops

from models import fields
from models.backbones.events import EncodedEvents
from models.heads.head import Head
from models.special_ids import END, FIRST_PRODUCT, PADDING
from models.tensors import Tensor, TensorBatch

_IMPOSSIBLE = -1e9


@keras.saving.register_keras_serializable("larder")
class FlatRemainderHead(Head):
    """A distribution over events for each step to come, independent of the other steps given the state.

    What lies beyond the head's steps is not predicted; `END` follows itself, so that a step says whether the case still
    goes on there.

    Shapes: B examples, S steps of the targets, L steps of the head, V vocabulary, N samples.
    """

    loss_names = ("remainder",)

    def __init__(self, n_events: int, state_units: int, longest: int, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True  # the mask is in the state; Keras need not pass one on
        self.n_events, self.state_units, self.longest, self.seed = n_events, state_units, longest, seed
        self.scores = keras.layers.Dense(
            longest * n_events, kernel_initializer=keras.initializers.GlorotUniform(seed), name="scores"
        )

    def build(self, input_shape: Any = None) -> None:
        """Build the one dense layer."""
        self.scores.build((None, self.state_units))
        self.built = True

    def call(self, state: EncodedEvents, batch: TensorBatch, training: bool = False) -> Tensor:
        """Log probabilities; float32 [B, L, V]."""
        return self._log_probabilities(state)

    def loss_per_example(self, outputs: Tensor, batch: TensorBatch) -> dict[str, Tensor]:
        """Negative log likelihood of the symbols of each step, END after the end included; float32 [B]."""
        targets = batch[fields.TARGET_EVENTS]
        padded = ops.pad(targets, [[0, 0], [0, self.longest]])[:, : self.longest]
        padded = ops.where(padded == PADDING, END, padded)
        found = ops.take_along_axis(outputs, padded[..., None], axis=-1)[..., 0]
        return {"remainder": -ops.sum(found, axis=1) * batch[fields.EXAMPLE_WEIGHTS]}

    def attention(self, state: EncodedEvents) -> Tensor:
        """The same weight for each event: dense layers attend to none in particular; float32 [B, T]."""
        real = ops.cast(state.mask, "float32")
        return real / ops.sum(real, axis=1, keepdims=True)

    def next_log_probabilities(self, state: EncodedEvents) -> Tensor:
        """Of each event to be the next one; float32 [B, V]."""
        return self._log_probabilities(state)[:, 0]

    def sample(self, state: EncodedEvents, uniforms: Tensor, n: int, steps: int) -> tuple[Tensor, Tensor]:
        """Remainders drawn step by step; see RemainderHead.sample. Steps beyond the head's are 0."""
        log_probabilities = self._log_probabilities(state)[:, None]
        steps = min(steps, self.longest)
        uniforms = uniforms[:, :, :steps, None]
        below = ops.cumsum(ops.exp(log_probabilities[:, :, :steps]), axis=-1) <= uniforms
        chosen = ops.clip(ops.sum(ops.cast(below, "int32"), axis=-1), END, self.n_events - 1)
        events = _until_the_end(chosen)
        found = ops.take_along_axis(log_probabilities[:, :, :steps], chosen[..., None], axis=-1)[..., 0]
        return events, ops.sum(found * ops.cast(events != PADDING, found.dtype), axis=-1)

    def greedy(self, state: EncodedEvents, max_events: int) -> tuple[Tensor, Tensor]:
        """The likeliest event of each step; int32 [B, S] and log probability float32 [B]."""
        log_probabilities = self._log_probabilities(state)[:, :max_events]
        chosen = ops.cast(ops.argmax(log_probabilities, axis=-1), "int32")
        events = _until_the_end(chosen)
        found = ops.take_along_axis(log_probabilities, chosen[..., None], axis=-1)[..., 0]
        return events, ops.sum(found * ops.cast(events != PADDING, found.dtype), axis=-1)

    def likeliest(self, state: EncodedEvents, max_events: int, beams: int) -> tuple[Tensor, Tensor]:
        """The most probable whole remainder; int32 [B, S] and log probability float32 [B].

        Exact, whatever the beams: steps are independent given the state, so that for each length the likeliest events
        are those of its steps, and the best length is the best of S.
        """
        log_probabilities = self._log_probabilities(state)[:, :max_events]
        is_end = ops.arange(self.n_events) == END
        goes_on = ops.where(is_end, _IMPOSSIBLE, log_probabilities)
        most, chosen = ops.max(goes_on, axis=-1), ops.cast(ops.argmax(goes_on, axis=-1), "int32")
        so_far = ops.cumsum(most, axis=1)
        ends_here = so_far - most + log_probabilities[:, :, END]
        # A remainder without an end within the steps is as probable as its events.
        lengths = ops.concatenate([ends_here, so_far[:, -1:]], axis=1)
        best = ops.cast(ops.argmax(lengths, axis=1), "int32")[:, None]
        steps = ops.arange(ops.shape(chosen)[1])[None]
        events = ops.where(steps < best, chosen, ops.where(steps == best, END, PADDING))
        return events, ops.max(lengths, axis=1)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        config: dict[str, Any] = super().get_config()
        sizes = {"n_events": self.n_events, "state_units": self.state_units, "longest": self.longest}
        return config | sizes | {"seed": self.seed}

    def _log_probabilities(self, state: EncodedEvents) -> Tensor:
        scores = ops.reshape(self.scores(state.state), (-1, self.longest, self.n_events))
        ids = ops.arange(self.n_events)
        never = ops.where(ops.logical_and(ids < FIRST_PRODUCT, ids != END), _IMPOSSIBLE, 0.0)
        # The first event to come is never the end: whoever is asked about is open.
        is_first = ops.cast(ops.arange(self.longest) == 0, "float32")[:, None]
        return ops.log_softmax(scores + never + is_first * ops.where(ids == END, _IMPOSSIBLE, 0.0), axis=-1)


def _until_the_end(chosen: Tensor) -> Tensor:
    """Symbols up to the first END, 0 after it; int32 [..., S]."""
    is_end = ops.cast(chosen == END, "int32")
    ended_before = ops.cumsum(is_end, axis=-1) - is_end
    return ops.where(ended_before > 0, PADDING, chosen)
