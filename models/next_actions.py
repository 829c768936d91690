"""The next actions of a case, to its end: sequence to sequence with attention.

The event backbone encodes what was done so far, started from what is known of the customer; heads predict the remaining
actions, the days each takes, and whether the case is won. Arrays of a batch are those of `models/fields.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import keras
import numpy as np
from keras import ops

from models.action_architectures import ActionConfig
from models.actions.action_log import FIRST_ACTION
from models.backbones.events import EventBackbone
from models.backbones.flat_events import FlatEventBackbone
from models.heads.flat_remainder import FlatRemainderHead
from models.heads.head import Head
from models.heads.remainder import RemainderHead
from models.heads.win import StepDaysHead, WinHead
from models.multi_head_model import MultiHeadModel
from models.tensors import Tensor, TensorBatch


@keras.saving.register_keras_serializable("larder")
class NextActions(MultiHeadModel):
    """Encoder, decoder with attention, and two smaller heads.

    Args:   config: fields of ActionConfig; action_names: names of the indices from FIRST_ACTION on, kept in the model
            file so that predicting needs nothing else; n_numbers: numeric attributes of a case; has_outcomes: whether
            training cases have one (else nothing is said of winning).
    """

    remainder: RemainderHead | FlatRemainderHead
    days: StepDaysHead

    def __init__(
        self,
        config: Mapping[str, Any],
        action_names: Sequence[str],
        n_numbers: int,
        has_outcomes: bool,
        **kwargs: Any,
    ) -> None:
        n_actions = len(action_names) + FIRST_ACTION
        parts = ActionConfig.from_stored(config)
        backbone, remainder = _parts(parts, n_actions, n_numbers)
        heads: dict[str, Head] = {
            "remainder": remainder,
            "days": StepDaysHead(backbone.events, backbone.output_units, seed=parts.seed + 5000, name="days"),
        }
        weights = {"remainder": 1.0, "days": parts.days_weight}
        if has_outcomes:
            heads["win"] = WinHead(backbone.output_units, seed=parts.seed + 6000, name="win")
            weights["win"] = parts.win_weight
        super().__init__(backbone, heads, weights, **kwargs)
        self.config, self.action_names = parts, tuple(action_names)
        self.n_numbers, self.has_outcomes = n_numbers, has_outcomes

    def adapt(self, batch: dict[str, np.ndarray]) -> None:
        """Fit the standardisation of moments and numbers to training examples, before any training."""
        self.backbone.adapt(batch)

    def plan(self, batch: TensorBatch, uniforms: Tensor, n: int, steps: int) -> dict[str, Tensor]:
        """Samples of the rest of each case, and what goes with them.

        Args:    uniforms: float32 [B, n, steps] in [0, 1), see RemainderHead.sample.
        Returns: samples int32 [B, n, steps]; greedy int32 [B, steps]; next_probabilities float32 [B, V]; attention
                 float32 [B, T]; days_of_action float32 [B, V], before each action if it follows; win_probability
                 float32 [B], where outcomes are known.
        """
        state = self(batch)
        samples, _ = self.remainder.sample(state, uniforms, n, steps)
        greedy, _ = self.remainder.greedy(state, steps)
        every = ops.broadcast_to(
            ops.arange(self.remainder.n_events)[None], (ops.shape(samples)[0], self.remainder.n_events)
        )
        found = {
            "samples": samples,
            "greedy": greedy,
            "next_probabilities": ops.exp(self.remainder.next_log_probabilities(state)),
            "attention": self.remainder.attention(state),
            "days_of_action": self.days.days(state, every),
        }
        return found | (self.win.predict(state, batch) if self.has_outcomes else {})

    def likeliest(self, batch: TensorBatch, steps: int, beams: int) -> Tensor:
        """The most probable rest of each case that a beam search finds; int32 [B, steps], END where it ends."""
        return self.remainder.likeliest(self(batch), steps, beams)[0]

    def next_probabilities(self, batch: TensorBatch) -> Tensor:
        """Of each action to be the next one; float32 [B, V]."""
        return ops.exp(self.remainder.next_log_probabilities(self(batch)))

    def win_probability(self, batch: TensorBatch) -> Tensor:
        """That each case is won, where the model knows outcomes; float32 [B]."""
        return self.win.predict(self(batch), batch)["win_probability"]

    def warm_start_from(self, other: "NextActions") -> None:
        """Copy another model's weights.

        Raises: ValueError: if architecture or actions differ.
        """
        # How far attention decodes is no weight.
        free = {"seed": 0} if self.config.kind == "flat" else {"seed": 0, "longest_rest": 0}
        same = asdict(self.config) | free == asdict(other.config) | free
        if not same or (self.action_names, self.n_numbers) != (other.action_names, other.n_numbers):
            raise ValueError("weights can be copied only between models of one architecture and the same actions")
        theirs = {weight.path: weight for weight in other.weights}
        for own in self.weights:
            if own.path in theirs:  # a head for outcomes may be new
                own.assign(theirs[own.path])

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        known = {"action_names": list(self.action_names), "n_numbers": self.n_numbers}
        return {"name": self.name, "config": asdict(self.config), "has_outcomes": self.has_outcomes} | known


def _parts(parts: ActionConfig, n_actions: int, n_numbers: int) -> tuple[Any, Any]:
    """Backbone and remainder head of a kind."""
    shared: dict[str, Any] = {
        "event_units": parts.event_units,
        "static_units": parts.static_units,
        "attribute_buckets": parts.attribute_buckets,
        "n_numbers": n_numbers,
        "dropout": parts.dropout,
        "seed": parts.seed,
        "name": "backbone",
    }
    if parts.kind == "flat":
        flat = FlatEventBackbone(n_actions, units=parts.encoder_units, n_events_read=parts.longest_past, **shared)
        head = FlatRemainderHead(
            n_actions, flat.output_units, parts.longest_rest, seed=parts.seed + 4000, name="remainder"
        )
        return flat, head
    backbone = EventBackbone(n_actions, units=parts.encoder_units, encoder=parts.encoder, **shared)
    remainder = RemainderHead(
        backbone.events,
        backbone.output_units,
        backbone.encoder.output_units,
        units=parts.decoder_units,
        decoder=parts.decoder,
        dropout=parts.dropout,
        seed=parts.seed + 4000,
        name="remainder",
    )
    return backbone, remainder
