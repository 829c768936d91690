"""The next offer and the days until it: one distribution over offers, and over buckets of days given each of them."""

from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from models import offer_fields
from models.heads.head import Head
from models.heads.pointer import IMPOSSIBLE
from models.special_ids import FIRST_PRODUCT
from models.tensors import Tensor, TensorBatch

_TINY = 1e-12


class OfferScores(NamedTuple):
    """Logs of probabilities.

    Args: offers: float32 [B, V]; buckets: float32 [B, V, K], given each offer.
    """

    offers: Tensor
    buckets: Tensor


@keras.saving.register_keras_serializable("larder")
class NextOfferHead(Head):
    """Scores each offer by the state and by what the customer and everyone did with it, and the days given the offer.

    An offer's score is the product of its vector with the state, plus that of a small network over its features (own
    counts and times, popularity), its second vector and the state. The days are scored by another such network.
    Special indices and what `may_be_offered` excludes have probability 0. An event that has not come yet counts by the
    probability that it comes later than seen so far, over all offers.

    Shapes: as in `models/offer_fields.py`; C state units.
    Args:   n_offers: V; n_buckets: K; input_units: C; reads_features: False scores by the state alone.
    """

    loss_names = ("offer", "days")

    def __init__(
        self,
        n_offers: int,
        n_buckets: int,
        input_units: int,
        *,
        units: int = 48,
        offer_units: int = 16,
        reads_features: bool = True,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._arguments = {
            "n_offers": n_offers,
            "n_buckets": n_buckets,
            "input_units": input_units,
            "units": units,
            "offer_units": offer_units,
            "reads_features": reads_features,
            "seed": seed,
        }
        self.n_offers, self.input_units, self.units, self.offer_units = n_offers, input_units, units, offer_units
        self.reads_features, self.seed = reads_features, seed
        self.readout = self._dense(n_offers, 0, "readout")
        self.offer_of_pair = self._dense(units, 1, "offer_of_pair")
        self.offer_of_state = self._dense(units, 2, "offer_of_state")
        self.offer_score = self._dense(1, 3, "offer_score", use_bias=False)
        self.days_of_pair = self._dense(units, 4, "days_of_pair")
        self.days_of_state = self._dense(units, 5, "days_of_state")
        self.days_score = self._dense(n_buckets, 6, "days_score")

    def build(self, input_shape: Any = None) -> None:
        """Create the offers' vectors and build the layers."""
        start = keras.initializers.RandomNormal(stddev=0.3, seed=self.seed + 7)
        self.vectors = self.add_weight(name="vectors", shape=(self.n_offers, self.offer_units), initializer=start)
        pair = self.offer_units + (offer_fields.N_OFFER_FEATURES if self.reads_features else 0)
        for layer in (self.readout, self.offer_of_state, self.days_of_state):
            layer.build((None, self.input_units))
        for layer in (self.offer_of_pair, self.days_of_pair):
            layer.build((None, None, pair))
        for layer in (self.offer_score, self.days_score):
            layer.build((None, None, self.units))
        is_special = np.zeros(self.n_offers, np.float32)
        is_special[:FIRST_PRODUCT] = 1.0
        self._is_special = is_special
        self.built = True

    def call(self, state: Tensor, batch: TensorBatch, training: bool = False) -> OfferScores:
        """Logs of probabilities; float32 [B, C] -> [B, V] and [B, V, K]."""
        allowed = batch[offer_fields.MAY_BE_OFFERED] * (1.0 - self._is_special)
        pairs = ops.broadcast_to(self.vectors[None], (ops.shape(state)[0], self.n_offers, self.offer_units))
        if self.reads_features:
            pairs = ops.concatenate([pairs, batch[offer_fields.OFFER_FEATURE_VALUES]], axis=-1)
        hidden = ops.silu(self.offer_of_pair(pairs) + self.offer_of_state(state)[:, None])
        scores = self.readout(state) + self.offer_score(hidden)[..., 0]
        offers = ops.log_softmax(ops.where(allowed > 0, scores, IMPOSSIBLE), axis=-1)
        hidden = ops.silu(self.days_of_pair(pairs) + self.days_of_state(state)[:, None])
        return OfferScores(offers, ops.log_softmax(self.days_score(hidden), axis=-1))

    def loss_per_example(self, outputs: OfferScores, batch: TensorBatch) -> dict[str, Tensor]:
        """Negative log likelihood of the offer, and of the days given the offer; float32 [B] each."""
        target, bucket = batch[offer_fields.TARGET_OFFERS], batch[offer_fields.TARGET_BUCKETS]
        came = ops.cast(target > 0, "float32")
        of_offer = ops.take_along_axis(outputs.offers, target[:, None], axis=1)[:, 0]
        of_buckets = ops.take_along_axis(outputs.buckets, target[:, None, None], axis=1)[:, 0]
        of_days = ops.take_along_axis(of_buckets, ops.maximum(bucket, 0)[:, None], axis=1)[:, 0]
        of_days = ops.where(bucket >= 0, of_days, 0.0)
        later = ops.sum(ops.exp(outputs.buckets) * batch[offer_fields.TARGET_SURVIVED][:, None], axis=-1)
        of_later = ops.log(ops.maximum(ops.sum(ops.exp(outputs.offers) * later, axis=-1), _TINY))
        return {
            "offer": ops.where(target > 0, -of_offer, 0.0),
            "days": -(came * of_days + (1.0 - came) * of_later),
        }

    def predict(self, state: Tensor, batch: TensorBatch, *args: Any, **kwargs: Any) -> dict[str, Tensor]:
        """Joint probability of each offer and bucket; `joint` float32 [B, V, K]."""
        scores = self(state, batch)
        return {"joint": ops.exp(scores.offers[..., None] + scores.buckets)}

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        config: dict[str, Any] = super().get_config() | self._arguments
        return config

    def _dense(self, units: int, offset: int, name: str, **options: Any) -> keras.layers.Dense:
        start = keras.initializers.GlorotUniform(self.seed + 100 + offset)
        return keras.layers.Dense(units, kernel_initializer=start, name=name, **options)
