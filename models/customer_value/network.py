"""Ours: an encoder over a customer's purchase days, an intensity of baskets rolled forward, and a spend beside it."""

from itertools import pairwise
from typing import Any

import keras
import numpy as np
from keras import ops

from models.customer_value.purchase_days import PurchaseDays
from models.tensors import Tensor, TensorBatch

EVENTS, IS_EVENT, STATIC = "purchase_events", "is_purchase_event", "customer_numbers"
BASKETS, SPEND = "bucket_baskets", "spend"
_N_EVENT, _N_STATIC, _WEEK = 5, 3, 7
_FLOOR = 1e-4


@keras.saving.register_keras_serializable("larder")
class ValueNetwork(keras.Model):
    """Expected baskets in each bucket of days after the cutoff, and the expected spend of a basket.

    The baskets of a bucket are Poisson with an intensity that the state gives: the hazard of a recurring event, rolled
    forward over the horizon. Expected spend is intensity times spend of a basket; both are learned together.

    Shapes: events float32 [B, T, 5], is_purchase_event float32 [B, T], customer_numbers float32 [B, S],
    bucket_baskets float32 [B, K], spend float32 [B] in units of a typical day.
    Args: n_buckets: K; reads_events: False reads `customer_numbers` alone.
    """

    def __init__(
        self,
        n_buckets: int,
        *,
        units: int = 32,
        reads_events: bool = True,
        dropout: float = 0.2,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._arguments = {
            "n_buckets": n_buckets,
            "units": units,
            "reads_events": reads_events,
            "dropout": dropout,
            "seed": seed,
        }

        def dense(size: int, activation: str | None, at: int) -> keras.layers.Dense:
            start = keras.initializers.GlorotUniform(seed + at)
            return keras.layers.Dense(size, activation=activation, kernel_initializer=start)

        self.reads_events = reads_events
        start, inner = keras.initializers.GlorotUniform(seed), keras.initializers.Orthogonal(seed=seed)
        self.encoder = keras.layers.GRU(units, kernel_initializer=start, recurrent_initializer=inner)
        self.hidden = [dense(units, "relu", 1), dense(units, "relu", 2)]
        self.dropout = keras.layers.Dropout(dropout, seed=seed + 3)
        self.intensity, self.price = dense(n_buckets, None, 4), dense(1, None, 5)

    def build(self, input_shape: Any = None) -> None:
        """Build each layer on the width of the one below."""
        width = _N_STATIC
        if self.reads_events:
            self.encoder.build((None, None, _N_EVENT))
            width += self.encoder.units
        for layer in (*self.hidden, self.intensity, self.price):
            layer.build((None, width))
            width = layer.units if layer in self.hidden else width
        self.built = True

    def call(self, batch: TensorBatch, training: bool = False) -> tuple[Tensor, Tensor]:
        """Expected baskets of each bucket, [B, K], and expected spend of a basket, [B]."""
        state = batch[STATIC]
        if self.reads_events:
            read = self.encoder(batch[EVENTS], mask=ops.cast(batch[IS_EVENT], "bool"), training=training)
            state = ops.concatenate([self.dropout(read, training=training), state], axis=-1)
        for layer in self.hidden:
            state = self.dropout(layer(state), training=training)
        baskets = ops.softplus(self.intensity(state) - 2.0) + _FLOOR
        return baskets, ops.softplus(self.price(state)[:, 0] + 0.5) + _FLOOR

    def losses(self, batch: TensorBatch, training: bool = False) -> dict[str, Tensor]:
        """Poisson of the baskets, Tweedie deviance (power 1.5) of the spend."""
        baskets, price = self(batch, training=training)
        counts = ops.mean(ops.sum(baskets - batch[BASKETS] * ops.log(baskets), axis=1))
        spend = ops.sum(baskets, axis=1) * price
        tweedie = ops.mean(2.0 * batch[SPEND] / ops.sqrt(spend) + 2.0 * ops.sqrt(spend))
        return {"total": counts + tweedie, "baskets": counts, "spend": tweedie}

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Tensor:
        """What `fit` makes small: the batch holds its targets itself."""
        return self.losses(x, training=training)["total"]

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        config: dict[str, Any] = super().get_config() | self._arguments
        return config


def network_inputs(
    purchases: PurchaseDays, day: int, customers: np.ndarray, *, scale: float, n_events: int
) -> dict[str, np.ndarray]:
    """Latest purchase days of each customer, right-aligned, and three numbers; nothing on or after `day` is read.

    Args: customers: rows with a basket before `day`, ascending; scale: spend of a typical day; n_events: T.
    """
    known = purchases.before(day)
    known = known.take(np.isin(known.customers, customers) & (known.baskets > 0))
    row = np.searchsorted(customers, known.customers)
    n = len(customers)
    starts, counts = np.searchsorted(row, np.arange(n)), np.bincount(row, minlength=n)
    place = n_events - counts[row] + np.arange(len(row)) - starts[row]
    gaps = np.diff(known.days, prepend=0).astype(float)
    gaps[starts] = 0.0
    spend = np.log1p(np.maximum(known.spend, 0.0) / scale)
    weekday = (known.days % _WEEK) / _WEEK
    values = np.column_stack(
        [np.log1p(gaps) / 4.0, np.log1p(day - known.days) / 4.0, spend, np.log1p(known.lines) / 3.0, weekday]
    )
    events, is_event = np.zeros((n, n_events, _N_EVENT), np.float32), np.zeros((n, n_events), np.float32)
    kept = place >= 0
    events[row[kept], place[kept]], is_event[row[kept], place[kept]] = values[kept], 1.0
    total = np.bincount(row, weights=np.maximum(known.spend, 0.0), minlength=n) / scale
    latest = (day - known.days)[starts + counts - 1]
    static = np.column_stack([np.log1p(latest) / 4.0, np.log1p(counts) / 3.0, np.log1p(total / counts)])
    return {EVENTS: events, IS_EVENT: is_event, STATIC: static.astype(np.float32)}


def network_targets(
    purchases: PurchaseDays, day: int, customers: np.ndarray, *, scale: float, edges: np.ndarray
) -> dict[str, np.ndarray]:
    """Baskets of each bucket and spend of the horizon. Args: edges: int [K + 1], days after `day`, from 0."""
    baskets = np.column_stack(
        [purchases.totals(day + first, day + end)[0][customers] for first, end in pairwise(edges)]
    )
    spend = np.maximum(purchases.totals(day, day + int(edges[-1]))[1][customers], 0.0) / scale
    return {BASKETS: baskets.astype(np.float32), SPEND: spend.astype(np.float32)}
