"""A backbone with heads: one encoding of the past, several predictions from it."""

from collections.abc import Mapping
from typing import Any

import keras

from models.backbones.backbone import Backbone
from models.heads.head import Head
from models.tensors import Tensor, TensorBatch

TOTAL = "total"


class MultiHeadModel(keras.Model):
    """A backbone and heads that are trained together on the weighted sum of their losses.

    Args:
        heads: by name; each becomes an attribute of that name.
        loss_weights: of each loss. A head none of whose losses is named is not trained, and its losses not computed.
    Raises: ValueError: for a weight of a loss that no head has, or of some but not all losses of a head.
    """

    def __init__(
        self, backbone: Backbone, heads: Mapping[str, Head], loss_weights: Mapping[str, float], **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.backbone = backbone
        for name, head in heads.items():
            setattr(self, name, head)
        self._loss_weights = dict(loss_weights)
        trained = [name for name, head in heads.items() if set(head.loss_names) & set(loss_weights)]
        self._trained_heads = tuple(trained)
        expected = {loss for name in trained for loss in heads[name].loss_names}
        if expected != set(loss_weights):
            names = ", ".join(sorted(expected ^ set(loss_weights)))
            raise ValueError(f"loss_weights must name the losses of the trained heads; check: {names}")
        backbone.build()
        for head in heads.values():
            head.build()
        self.built = True

    def call(self, batch: TensorBatch, training: bool = False) -> Tensor:
        """State of each example; float32 [B, C]."""
        return self.backbone(batch, training=training)

    def losses(self, batch: TensorBatch, training: bool = False) -> dict[str, Tensor]:
        """Mean losses over the examples of the batch by name, and their weighted sum as `total`; float32 scalars."""
        state = self.backbone(batch, training=training)
        losses: dict[str, Tensor] = {}
        for name in self._trained_heads:
            head = getattr(self, name)
            losses |= head.losses(head(state, batch, training=training), batch)
        return {TOTAL: sum(self._loss_weights[name] * loss for name, loss in losses.items())} | losses
