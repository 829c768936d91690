"""The events that are still to come, one after another to the end, by attention over those that happened."""

from typing import Any

import keras
from keras import ops

from models import fields
from models.backbones.events import EncodedEvents
from models.decoders.kinds import DECODERS
from models.heads.head import Head
from models.layers.event_features import EventFeatures
from models.names import look_up
from models.special_ids import END, FIRST_PRODUCT, PADDING
from models.tensors import Tensor, TensorBatch

_IMPOSSIBLE = -1e9


@keras.saving.register_keras_serializable("larder")
class RemainderHead(Head):
    """A decoder that attends to the encoded events; the static part of the state stands beside each of its inputs.

    The first event to come is never the end: whoever is asked about is open.

    Shapes: B examples, T events, S steps, V vocabulary, D encoder outputs, C state, N samples.
    Args:   events: whose vectors the decoder reads and which score the next event; state_units: C; step_units: D.
    Source: Luong et al., "Effective Approaches to Attention-based Neural Machine Translation", EMNLP 2015 (general
            score, attention after the decoder's step).
    """

    loss_names = ("remainder",)

    def __init__(
        self,
        events: EventFeatures,
        state_units: int,
        step_units: int,
        *,
        units: tuple[int, ...],
        decoder: str = "lstm",
        dropout: float = 0.2,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True  # the mask is in the state; Keras need not pass one on
        self.events, self.state_units, self.step_units = events, state_units, step_units
        self.n_events = events.n_events
        kind = look_up("decoder", decoder, DECODERS)
        self.decoder = kind(events.units + state_units, state_units, tuple(units), seed=seed, name="decoder")
        self.query = self._dense(step_units, seed + 500, "query")
        self.scores = self._dense(events.n_events, seed + 501, "scores")
        self.dropout = keras.layers.Dropout(dropout, seed=seed + 502, name="dropout")
        self.width = units[-1]

    def build(self, input_shape: Any = None) -> None:
        """Build the decoder, the query and the scores."""
        self.decoder.build()
        self.query.build((None, self.width))
        self.scores.build((None, self.width + self.step_units + self.state_units))
        self.built = True

    def call(self, state: EncodedEvents, batch: TensorBatch, training: bool = False) -> Tensor:
        """Log probabilities of each step's symbols given the true ones before (teacher forcing); float32 [B, S, V]."""
        before = ops.pad(batch[fields.TARGET_EVENTS][:, :-1], [[0, 0], [1, 0]], constant_values=PADDING)
        steps = ops.shape(before)[1]
        outputs = self.decoder(self._inputs(before, state), state.state, training=training)
        context, _ = self._attend(outputs, state)
        repeated = ops.repeat(state.state[:, None], steps, axis=1)
        read = self.dropout(ops.concatenate([outputs, context, repeated], axis=-1), training=training)
        is_first = ops.cast(ops.arange(steps) == 0, "float32")[None, :, None]
        return ops.log_softmax(self.scores(read) + self._penalty() + is_first * self._not_the_end(), axis=-1)

    def loss_per_example(self, outputs: Tensor, batch: TensorBatch) -> dict[str, Tensor]:
        """Negative log likelihood of the whole remainder, its end included, by weight of the example; float32 [B]."""
        targets = batch[fields.TARGET_EVENTS]
        found = ops.take_along_axis(outputs, targets[..., None], axis=-1)[..., 0]
        summed = -ops.sum(found * ops.cast(targets != PADDING, found.dtype), axis=1)
        return {"remainder": summed * batch[fields.EXAMPLE_WEIGHTS]}

    def attention(self, state: EncodedEvents) -> Tensor:
        """Weight of each event in the prediction of the next one; float32 [B, T], a sum of 1."""
        _, outputs = self._first(state)
        return self._attend(outputs[:, None], state)[1][:, 0]

    def next_log_probabilities(self, state: EncodedEvents) -> Tensor:
        """Of each event to be the next one; float32 [B, V]."""
        _, outputs = self._first(state)
        return self._log_probabilities(outputs, state, first=True)

    def sample(self, state: EncodedEvents, uniforms: Tensor, n: int, steps: int) -> tuple[Tensor, Tensor]:
        """Remainders drawn from the model's distribution.

        Args:    uniforms: float32 [B, N, S] in [0, 1): a draw is a function of its number alone, so that the same case
                 gets the same samples in every batch; n: N; steps: S.
        Returns: events int32 [B, N, S], END once where it ends and 0 after it; their log probability float32 [B, N].
        """
        state = EncodedEvents(*(ops.repeat(part, n, axis=0) for part in state))
        uniforms = ops.reshape(uniforms, (-1, steps))

        def choose(log_probabilities: Tensor, step: int) -> Tensor:
            below = ops.cumsum(ops.exp(log_probabilities), axis=-1) <= uniforms[:, step : step + 1]
            chosen = ops.sum(ops.cast(below, "int32"), axis=-1)
            return ops.clip(chosen, END, self.events.n_events - 1)

        events, log_probability = self._decode(state, steps, choose)
        return ops.reshape(events, (-1, n, steps)), ops.reshape(log_probability, (-1, n))

    def greedy(self, state: EncodedEvents, max_events: int) -> tuple[Tensor, Tensor]:
        """The likeliest event of each step given those before; int32 [B, S] and log probability float32 [B]."""
        return self._decode(state, max_events, lambda scores, _: ops.cast(ops.argmax(scores, axis=-1), "int32"))

    def likeliest(self, state: EncodedEvents, max_events: int, beams: int) -> tuple[Tensor, Tensor]:
        """The most probable whole remainder among those that a beam search reaches.

        An ended remainder keeps its beam with its own probability; one that has not ended after `max_events` is as
        probable as its events. With one beam this is `greedy`.

        Args:    beams: width W of the search, at least 1.
        Returns: events int32 [B, S], END once where it ends and 0 after it; their log probability float32 [B].
        """
        states, outputs = self._first(state)
        cases = ops.shape(outputs)[0]
        states = [ops.repeat(each, beams, axis=0) for each in states]
        outputs = ops.repeat(outputs, beams, axis=0)
        wide = EncodedEvents(*(ops.repeat(part, beams, axis=0) for part in state))
        # All beams of a case begin alike, and only the first of them counts.
        score = ops.tile(ops.where(ops.arange(beams) == 0, 0.0, _IMPOSSIBLE), [cases])
        done = ops.zeros_like(score, dtype="bool")
        stays = ops.where(ops.arange(self.n_events) == PADDING, 0.0, _IMPOSSIBLE)
        first_row = beams * ops.arange(cases)[:, None]
        events: list[Tensor] = []
        for step in range(max_events):
            log_probabilities = self._log_probabilities(outputs, wide, first=step == 0)
            total = score[:, None] + ops.where(done[:, None], stays, log_probabilities)
            best, places = ops.top_k(ops.reshape(total, (-1, beams * self.n_events)), beams)
            parents = ops.reshape(first_row + places // self.n_events, (-1,))
            chosen = ops.cast(ops.reshape(places % self.n_events, (-1,)), "int32")
            score, done = ops.reshape(best, (-1,)), ops.logical_or(ops.take(done, parents), chosen == END)
            events = [ops.take(each, parents) for each in events] + [chosen]
            if step + 1 < max_events:
                states = [ops.take(each, parents, axis=0) for each in states]
                outputs, states = self.decoder.step(self._input(chosen, wide), states)
        found = ops.reshape(ops.stack(events, axis=1), (-1, beams, max_events))
        return found[:, 0], ops.reshape(score, (-1, beams))[:, 0]

    def get_config(self) -> dict[str, Any]:
        """Not possible alone: the head shares its events with the backbone, and the model makes both."""
        raise NotImplementedError("a remainder head is made by its model")

    def _decode(self, state: EncodedEvents, max_events: int, choose: Any) -> tuple[Tensor, Tensor]:
        states, outputs = self._first(state)
        done = ops.zeros_like(state.state[:, 0], dtype="bool")
        total = ops.zeros_like(state.state[:, 0])
        events = []
        for step in range(max_events):
            log_probabilities = self._log_probabilities(outputs, state, first=step == 0)
            chosen = ops.where(done, PADDING, choose(log_probabilities, step))
            found = ops.take_along_axis(log_probabilities, chosen[:, None], axis=-1)[:, 0]
            total = total + ops.where(done, 0.0, found)
            done = ops.logical_or(done, chosen == END)
            events.append(chosen)
            if step + 1 < max_events:
                outputs, states = self.decoder.step(self._input(chosen, state), states)
        return ops.stack(events, axis=1), total

    def _first(self, state: EncodedEvents) -> tuple[Any, Tensor]:
        """Decoder's states after its first step, and that step's output."""
        start = ops.zeros_like(state.mask[:, 0], dtype="int32") + PADDING
        outputs, states = self.decoder.step(self._input(start, state), self.decoder.initial_states(state.state))
        return states, outputs

    def _log_probabilities(self, outputs: Tensor, state: EncodedEvents, first: bool) -> Tensor:
        context, _ = self._attend(outputs[:, None], state)
        read = ops.concatenate([outputs, context[:, 0], state.state], axis=-1)
        scores = self.scores(read) + self._penalty()
        return ops.log_softmax(scores + self._not_the_end() if first else scores, axis=-1)

    def _attend(self, outputs: Tensor, state: EncodedEvents) -> tuple[Tensor, Tensor]:
        """Context float32 [B, S, D] and weights float32 [B, S, T]."""
        scores = ops.matmul(self.query(outputs), ops.transpose(state.steps, (0, 2, 1)))
        weights = ops.softmax(ops.where(state.mask[:, None], scores, _IMPOSSIBLE), axis=-1)
        return ops.matmul(weights, state.steps), weights

    def _inputs(self, before: Tensor, state: EncodedEvents) -> Tensor:
        repeated = ops.repeat(state.state[:, None], ops.shape(before)[1], axis=1)
        return ops.concatenate([self.events.lookup(before), repeated], axis=-1)

    def _input(self, before: Tensor, state: EncodedEvents) -> Tensor:
        return ops.concatenate([self.events.lookup(before), state.state], axis=-1)

    def _penalty(self) -> Tensor:
        """Padding and unknown events are never predicted; float32 [V]."""
        ids = ops.arange(self.events.n_events)
        return ops.where(ops.logical_and(ids < FIRST_PRODUCT, ids != END), _IMPOSSIBLE, 0.0)

    def _not_the_end(self) -> Tensor:
        return ops.where(ops.arange(self.events.n_events) == END, _IMPOSSIBLE, 0.0)

    def _dense(self, units: int, seed: int, name: str) -> keras.layers.Dense:
        return keras.layers.Dense(units, kernel_initializer=keras.initializers.GlorotUniform(seed), name=name)
