"""Which order lines come back: past orders by the event backbone, the line and its order as static inputs.

Arrays of a batch are those of `models/fields.py`. The file of a model holds how many days returns take and which part
of a line they bring back, so that predicting needs nothing else of its night.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
from keras import ops

from models.backbones.events import EventBackbone
from models.heads.returned import ReturnedHead
from models.multi_head_model import MultiHeadModel
from models.returns.config import N_EVENT_KINDS, ReturnConfig
from models.returns.timing import ReturnTiming
from models.tensors import Tensor, TensorBatch


@keras.saving.register_keras_serializable("larder")
class LineReturns(MultiHeadModel):
    """The model of returns.

    Args: config: fields of ReturnConfig; n_order_numbers, number_names: numbers of an event, and of a line;
          base_rate: share of lines that come back; timing: fields of ReturnTiming, of the training's returns; trees:
          boosted trees of the same lines as text, or empty. They are no part of the network and of its training:
          whoever predicts takes a mean of both (`pipeline.dataset.return_models.ReturnScorer`); network_part: weight
          of the network in it.
    """

    backbone: EventBackbone
    returned: ReturnedHead

    def __init__(
        self,
        config: Mapping[str, Any],
        n_order_numbers: int,
        number_names: Sequence[str],
        *,
        base_rate: float,
        timing: Mapping[str, Any],
        trees: str = "",
        network_part: float = 0.5,
        **kwargs: Any,
    ) -> None:
        parts = ReturnConfig(**config)
        parts = replace(parts, units=tuple(parts.units))
        backbone = EventBackbone(
            N_EVENT_KINDS,
            units=parts.units,
            encoder=parts.encoder,
            event_units=parts.event_units,
            static_units=parts.static_units,
            attribute_buckets=parts.attribute_buckets,
            n_numbers=len(number_names),
            n_event_numbers=n_order_numbers,
            passes_on=True,
            dropout=parts.dropout,
            seed=parts.seed,
            name="backbone",
        )
        head = ReturnedHead(
            backbone.output_units,
            units=parts.head_units,
            start_log_odds=float(np.log(base_rate / (1.0 - base_rate))),
            seed=parts.seed + 5000,
            name="returned",
        )
        super().__init__(backbone, {"returned": head}, {"returned": 1.0}, **kwargs)
        self.config, self.n_order_numbers, self.base_rate = parts, n_order_numbers, float(base_rate)
        self.network_part = float(network_part)
        # Keras wraps lists of a model into objects of its own, which cannot be sent to other processes.
        self._known = SimpleNamespace(names=tuple(number_names), timing=ReturnTiming(**timing), trees=trees)

    @property
    def number_names(self) -> tuple[str, ...]:
        """Names of the numbers of a line, in order."""
        names: tuple[str, ...] = self._known.names
        return names

    @property
    def timing(self) -> ReturnTiming:
        """How many days returns take, and which part of a line they bring back."""
        timing: ReturnTiming = self._known.timing
        return timing

    @property
    def trees(self) -> str:
        """Boosted trees as text; empty where there are none."""
        text: str = self._known.trees
        return text

    def adapt(self, batch: dict[str, np.ndarray]) -> None:
        """Fit the standardisation of numbers to training examples, before any training."""
        self.backbone.adapt(batch)

    def start_linear(self, weights: np.ndarray, intercept: float) -> None:
        """Begin as a logistic regression of the standardised numbers; what else is read has no part in it yet.

        Args: weights: float [K].
        """
        kernel, bias = self.returned.log_odds.weights
        values = np.zeros(kernel.shape, np.float32)
        end = self.backbone.output_units
        values[end - len(weights) : end, 0] = weights
        kernel.assign(values)
        bias.assign([intercept])

    def log_odds(self, batch: TensorBatch) -> Tensor:
        """The network's log odds that something of each line comes back; float32 [B]."""
        return self.returned(self(batch), batch)

    def reads_as(self, other: "LineReturns") -> bool:
        """Whether another model has the same architecture and reads the same numbers."""
        same = replace(self.config, seed=0) == replace(other.config, seed=0)
        return same and (self.number_names, self.n_order_numbers) == (other.number_names, other.n_order_numbers)

    def warm_start_from(self, other: "LineReturns") -> None:
        """Copy another model's weights, its standardisation included, which they refer to.

        Raises: ValueError: if architecture or numbers differ.
        """
        if not self.reads_as(other):
            raise ValueError("weights can be copied only between models of one architecture and the same numbers")
        for own, theirs in zip(self.weights, other.weights, strict=True):
            own.assign(ops.convert_to_numpy(theirs))

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        config = asdict(self.config) | {"units": list(self.config.units)}
        known = {"n_order_numbers": self.n_order_numbers, "number_names": list(self.number_names)}
        known |= {"base_rate": self.base_rate, "timing": self.timing.as_stored(), "trees": self.trees}
        known |= {"network_part": self.network_part}
        return {"name": self.name, "config": config} | known
