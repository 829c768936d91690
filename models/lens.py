"""LENS: the next basket of a funnel, what is in it, how much of each, and when.

The hierarchical backbone encodes a funnel's baskets into its state; the basket head decodes the products of the next
basket with their quantities, the time head predicts the days until it. With `pointer_units` each product is copied from
the candidates (the customer's own products and those of similar customers) or generated from the vocabulary, by a
learned gate. Arrays of a batch are those of `models/fields.py`.

Source: LENS (hierarchical encoder-decoder for next session, time and quantity), section III and Table 1. Differs in
that scores share the product vectors, that the funnel's state also reaches the scores directly, in the time head, and
in the pointer head, which the paper's architectures do without.
"""

from dataclasses import asdict
from typing import Any

import keras
import numpy as np
from keras import ops

from models import fields
from models.backbones.hierarchical import HierarchicalBackbone
from models.config import LensConfig
from models.decoders.search import Sampler
from models.heads.basket import BasketHead
from models.heads.time_to_next import TimeHead, time_head
from models.keys import matched_rows
from models.layers.known_keys import KnownKeys
from models.multi_head_model import MultiHeadModel
from models.special_ids import FIRST_PRODUCT
from models.tensors import Tensor, TensorBatch

VALIDATION_CUTOFF = 10


@keras.saving.register_keras_serializable("larder")
class Lens(MultiHeadModel):
    """The hierarchical encoder-decoder.

    Shapes: B funnels, K products predicted, V vocabulary; others as in `models/fields.py`.
    Args:   config: fields of LensConfig; n_products: V, special indices included; n_customers: customers seen in
            training, plus one.
    Raises: ValueError: for an unknown setting or kind of part.
    """

    backbone: HierarchicalBackbone
    basket: BasketHead
    time_to_next: TimeHead

    def __init__(self, config: dict[str, Any], n_products: int, n_customers: int, **kwargs: Any) -> None:
        parts = LensConfig.from_stored(config)
        backbone = HierarchicalBackbone(
            n_products,
            n_customers,
            session_units=parts.session_units,
            behaviour_units=parts.behaviour_units,
            session_encoder=parts.session_encoder,
            behaviour_encoder=parts.behaviour_encoder,
            product_units=parts.product_units,
            products_frozen=parts.products_frozen,
            customer_units=parts.customer_units,
            attribute_buckets=parts.attribute_buckets,
            seed=parts.seed,
            name="backbone",
        )
        basket = BasketHead(
            backbone.products,
            backbone.output_units,
            decoder_units=parts.decoder_units,
            decoder=parts.decoder,
            pointer_units=parts.pointer_units,
            trees=(parts.pointer_trees, parts.pointer_tree_levels),
            seed=parts.seed,
            name="basket",
        )
        time_to_next = time_head(parts.time_head, backbone.output_units, parts.seed + 7000, parts.rhythm_units)
        weights = {"gap": parts.gap_weight}
        if parts.content_weight > 0:  # else the days alone
            weights |= {name: getattr(parts, f"{name}_weight") for name in basket.loss_names}
        super().__init__(backbone, {"time_to_next": time_to_next, "basket": basket}, weights, **kwargs)
        self.config, self.n_products, self.n_customers = parts, n_products, n_customers
        self.keys = KnownKeys(n_products, n_customers, name="keys")

    def adapt(self, batch: dict[str, np.ndarray]) -> None:
        """Fit the standardisation to the candidate features of a batch, before any training."""
        self.basket.next_symbol.adapt(batch)

    def decode(self, batch: TensorBatch, max_products: int, beams: int = 1) -> dict[str, Tensor]:
        """The most probable next basket by beam search, and when; see `predict` of BasketHead and TimeHead.

        Returns: products int32 [B, K], probabilities and quantities float32 [B, K], gap_days and due_days float32 [B].
        """
        state = self(batch)
        return self.basket.predict(state, batch, max_products, beams) | self.time_to_next.predict(state, batch)

    def best_basket(self, batch: TensorBatch, max_products: int) -> dict[str, Tensor]:
        """The next basket of the largest expected F1, and when; returns what `decode` does, best products first."""
        state = self(batch)
        return self.basket.best_f1(state, batch, max_products) | self.time_to_next.predict(state, batch)

    def rank(self, batch: TensorBatch, k: int) -> tuple[Tensor, Tensor]:
        """The k products most likely in the next basket, int32 [B, k], and their probabilities, float32 [B, k]."""
        return self.basket.rank(self(batch), batch, k)

    def validation_metrics(self, batch: TensorBatch) -> dict[str, Tensor]:
        """Beside the losses: the share of a next basket's products among the first ten, float32, mean over the batch.

        A loss may fall while the ranking gets worse, and the ranking is what is used.
        """
        if "basket" not in self._trained_heads:
            return {}
        targets = batch[fields.TARGET_PRODUCTS]
        products, _ = self.rank(batch, min(VALIDATION_CUTOFF, self.n_products - FIRST_PRODUCT))
        named = ops.any(targets[:, :, None] == products[:, None, :], axis=2)
        bought = targets >= FIRST_PRODUCT
        hits, sizes = (ops.sum(ops.cast(of, "float32"), axis=1) for of in (named & bought, bought))
        return {f"recall_at_{VALIDATION_CUTOFF}": ops.mean(hits / ops.maximum(sizes, 1.0))}

    def sample(self, batch: TensorBatch, max_products: int, sampler: Sampler) -> Tensor:
        """A next basket drawn from the model's distribution; int32 [B, K], END once where it ends, 0 after it."""
        return self.basket.sample(self(batch), batch, max_products, sampler)

    def log_likelihood(self, batch: TensorBatch, products: Tensor, training: bool = False) -> Tensor:
        """Log probability of decoding given baskets, int32 [B, S]; float32 [B]."""
        return self.basket.log_likelihood(self(batch, training=training), batch, products, training)

    def gap_days(self, batch: TensorBatch) -> Tensor:
        """Expected (regression) or median (hazard) days from the last basket to the next; float32 [B]."""
        return self.time_to_next.predict(self(batch), batch)["gap_days"]

    def log_survival(self, batch: TensorBatch, days: Tensor) -> Tensor:
        """Log probability that the next basket comes after each of the days; float32 [1 or B, D] -> [B, D].

        Raises: NotImplementedError: with a time head that only regresses.
        """
        return self.time_to_next.log_survival(self.time_to_next(self(batch), batch), days)

    def expected_demand(self, batch: TensorBatch, horizon_days: int) -> dict[str, Tensor]:
        """What each funnel is expected to buy in a basket, and when; see `models/demand/customer_sums.py`.

        Returns: units float32 [B, V], of each product in the next basket, its probability included; log_wait and
                 log_gap float32 [B, 1 + H], log survival through the day before the horizon and each of its days, and
                 the same of a gap that has just begun.
        Raises:  NotImplementedError: with a time head that only regresses.
        """
        state = self(batch)
        outputs, days = self.time_to_next(state, batch), ops.arange(-1.0, horizon_days)[None]
        return {
            "units": self.basket.expected_units(state, batch),
            "log_wait": self.time_to_next.log_survival(outputs, batch[fields.ELAPSED_DAYS][:, None] + days),
            "log_gap": self.time_to_next.log_survival(outputs, days),
        }

    def warm_start_from(self, other: "Lens") -> None:
        """Copy another model's weights; product and customer rows are matched by key, new ones keep their start.

        Raises: ValueError: if the architectures differ.
        """
        if asdict(self.config) | {"seed": 0} != asdict(other.config) | {"seed": 0}:
            raise ValueError("weights can be copied only between models of one architecture; train from new weights")
        by_key = {id(own): (own, theirs, *keys) for own, theirs, *keys in self._rows_by_key(other)}
        # Not only trainable weights: the standardisation of candidate features is copied too.
        for own, theirs in zip(self.weights, other.weights, strict=True):
            if id(own) not in by_key:
                own.assign(theirs)
        for own, theirs, own_keys, their_keys in by_key.values():
            rows = matched_rows(ops.convert_to_numpy(own), ops.convert_to_numpy(theirs), own_keys, their_keys)
            own.assign(rows)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        sizes = {"n_products": self.n_products, "n_customers": self.n_customers}
        return {"name": self.name, "config": asdict(self.config)} | sizes

    def _rows_by_key(self, other: "Lens") -> list[tuple[Tensor, Tensor, np.ndarray, np.ndarray]]:
        """Weights whose rows belong to products or customers: own, theirs, and the keys of either's rows."""
        ours, theirs = self.backbone, other.backbone
        of_products = (self.keys.product_keys, other.keys.product_keys)
        of_customers = (self.keys.customer_keys, other.keys.customer_keys)
        return [
            (ours.products.vectors, theirs.products.vectors, *of_products),
            (ours.products.bias, theirs.products.bias, *of_products),
            (ours.customers.vectors, theirs.customers.vectors, *of_customers),
        ]
