"""What a customer takes next, and in how many days.

The purchases backbone encodes the events so far, the next-offer head gives the joint distribution of the next event's
dearest offer and of the days until it, in buckets. The file of a model holds the offers' names and the buckets, so that
predicting needs nothing else of its night.
"""

from dataclasses import asdict, fields, replace
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
from keras import ops

from models.backbones.purchases import PurchasesBackbone
from models.heads.next_offer import NextOfferHead
from models.multi_head_model import MultiHeadModel
from models.next_offer_config import NextOfferConfig
from models.special_ids import FIRST_PRODUCT, UNKNOWN
from models.tensors import Tensor, TensorBatch


@keras.saving.register_keras_serializable("larder")
class NextOfferModel(MultiHeadModel):
    """The model of next offers.

    Shapes: as in `models/offer_fields.py`.
    Args:   config: fields of NextOfferConfig; names: of the offers from index FIRST_PRODUCT on;
            edges: the last day of each bucket but the last one, which has no end; ascending.
            owned_again: whether an owned offer may be offered.
    """

    backbone: PurchasesBackbone
    next_offer: NextOfferHead

    def __init__(
        self, config: dict[str, Any], names: list[str], edges: list[float], owned_again: bool = True, **kwargs: Any
    ) -> None:
        known = {field.name for field in fields(NextOfferConfig)}
        parts = NextOfferConfig(**{name: value for name, value in config.items() if name in known})
        parts = replace(parts, units=tuple(parts.units))
        n_offers = FIRST_PRODUCT + len(names)
        backbone = PurchasesBackbone(
            n_offers,
            units=parts.units,
            encoder=parts.encoder,
            offer_units=parts.offer_units,
            reads_sets=parts.reads_sets,
            dropout=parts.dropout,
            seed=parts.seed,
            name="backbone",
        )
        head = NextOfferHead(
            n_offers,
            len(edges) + 1,
            backbone.output_units,
            units=parts.head_units,
            reads_features=parts.reads_features,
            seed=parts.seed + 5000,
            name="next_offer",
        )
        super().__init__(backbone, {"next_offer": head}, {"offer": 1.0, "days": 1.0}, **kwargs)
        self.config, self.owned_again = parts, owned_again
        # Keras wraps lists of a model into objects of its own, which cannot be sent to other processes.
        self._known = SimpleNamespace(names=list(names), edges=[float(edge) for edge in edges])
        self._index = {name: row for row, name in enumerate(self.names, FIRST_PRODUCT)}

    @property
    def names(self) -> list[str]:
        """Offers from index FIRST_PRODUCT on."""
        found: list[str] = self._known.names
        return found

    @property
    def edges(self) -> list[float]:
        """Last day of each bucket but the last one."""
        found: list[float] = self._known.edges
        return found

    def indices_of(self, names: np.ndarray) -> np.ndarray:
        """Index of each offer, UNKNOWN for one that the model does not know; str [n] -> int32 [n]."""
        return np.array([self._index.get(name, UNKNOWN) for name in names], np.int32)

    def joint(self, batch: TensorBatch) -> Tensor:
        """Probability of each offer together with each bucket; float32 [B, V, K]."""
        return self.next_offer.predict(self(batch), batch)["joint"]

    def warm_start_from(self, other: "NextOfferModel") -> None:
        """Copy another model's weights; rows of offers are matched by name, new ones keep their start.

        The scores of buckets are copied only where the buckets are the same.

        Raises: ValueError: if the architectures differ.
        """
        if replace(self.config, seed=0) != replace(other.config, seed=0):
            raise ValueError("weights can be copied only between models of one architecture; train from new weights")
        known = {name: row for row, name in enumerate(other.names, FIRST_PRODUCT)}
        here = [*range(FIRST_PRODUCT), *(self._index[name] for name in self.names if name in known)]
        there = [*range(FIRST_PRODUCT), *(known[name] for name in self.names if name in known)]
        by_bucket = {id(weight) for weight in self.next_offer.days_score.weights}
        for own, theirs in zip(self.weights, other.weights, strict=True):
            values, found = np.array(ops.convert_to_numpy(own)), ops.convert_to_numpy(theirs)
            if id(own) in self._offer_axes():
                axis = self._offer_axes()[id(own)]
                np.moveaxis(values, axis, 0)[here] = np.moveaxis(found, axis, 0)[there]
            elif id(own) not in by_bucket or self.edges == other.edges:
                values = found
            own.assign(values)

    def _offer_axes(self) -> dict[int, int]:
        """Which axis of a weight is one of offers."""
        head, backbone = self.next_offer, self.backbone
        rows = [backbone.tops, head.vectors, head.readout.bias, *([backbone.members] if backbone.reads_sets else [])]
        return {id(weight): 0 for weight in rows} | {id(head.readout.kernel): 1}

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        config = asdict(self.config)
        config["units"] = list(config["units"])
        names = {"names": self.names, "edges": self.edges, "owned_again": self.owned_again}
        return {"name": self.name, "config": config} | names
