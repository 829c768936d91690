"""What encoders read of events, and of what is known of an example from its beginning."""

from math import pi
from typing import Any

import keras
import numpy as np
from keras import ops

from models import fields
from models.special_ids import PADDING
from models.tensors import Tensor, TensorBatch

_LOG_HOURS = 5.0  # log hours of a week, about: brings gaps to the size of the other features
_HOURS, _WEEKDAYS = 24.0, 7.0
_LARGEST = 4.0  # standard deviations of a number that is passed on: one mistyped price must not decide
N_TIME_FEATURES = 7


@keras.saving.register_keras_serializable("larder")
class EventFeatures(keras.layers.Layer):
    """A vector per kind of event, beside when it happened.

    Times are: log hours since the event before and since the first one, hour of the day and weekday as sine and cosine,
    and where in the training's time span the event lies, 0 at its beginning and 1 at its end and ever after. The last
    one lets a model see that a procedure changed; held at 1 it never leaves what the model was trained on.

    Shapes: B examples, T events, U units, M numbers of an event; the output has U + 7 + M.
    """

    def __init__(self, n_events: int, units: int, n_numbers: int = 0, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n_events, self.units, self.n_numbers, self.seed = n_events, units, n_numbers, seed
        self.output_units = units + N_TIME_FEATURES + n_numbers

    def build(self, input_shape: Any = None) -> None:
        """Make the vectors, and the span of the training's days."""
        start = keras.initializers.RandomUniform(-0.05, 0.05, seed=self.seed)
        self.vectors = self.add_weight(name="vectors", shape=(self.n_events, self.units), initializer=start)
        self.span_days = self.add_weight(name="span_days", shape=(2,), initializer="zeros", trainable=False)
        self.built = True

    def call(self, batch: TensorBatch) -> Tensor:
        """float32 [B, T, U + 7 + M]."""
        ids, hours = batch[fields.EVENT_IDS], batch[fields.EVENT_LOCAL_HOURS]
        first, last = self.span_days[0], self.span_days[1]
        days = batch[fields.EVENT_DAYS]
        position = ops.clip((days - first) / ops.maximum(last - first, 1.0), 0.0, 1.0)
        by_day, by_week = hours * (2 * pi / _HOURS), batch[fields.EVENT_WEEKDAYS] * (2 * pi / _WEEKDAYS)
        times = [
            ops.log1p(batch[fields.EVENT_GAP_HOURS]) / _LOG_HOURS,
            ops.log1p(batch[fields.EVENT_ELAPSED_HOURS]) / _LOG_HOURS,
            ops.sin(by_day),
            ops.cos(by_day),
            ops.sin(by_week),
            ops.cos(by_week),
            position,
        ]
        real = ops.cast(ids != PADDING, self.vectors.dtype)[..., None]
        parts = [self.lookup(ids), ops.stack(times, axis=-1)]
        if self.n_numbers:
            parts.append(batch[fields.EVENT_NUMBERS])
        return ops.concatenate(parts, axis=-1) * real

    def lookup(self, ids: Tensor) -> Tensor:
        """The vectors of some events; int32 [...] -> float32 [..., U]."""
        return ops.take(self.vectors, ids, axis=0)

    def adapt(self, batch: dict[str, np.ndarray]) -> None:
        """Set the training's time span from the days of its events."""
        days = batch[fields.EVENT_DAYS][batch[fields.EVENT_IDS] != PADDING]
        self.span_days.assign([float(days.min()), float(days.max())])

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        config: dict[str, Any] = super().get_config()
        sizes = {"n_events": self.n_events, "units": self.units, "n_numbers": self.n_numbers}
        return config | sizes | {"seed": self.seed}


@keras.saving.register_keras_serializable("larder")
class StaticFeatures(keras.layers.Layer):
    """Categorical attributes by shared vectors, and numeric ones, through a dense layer.

    A number that is missing counts as the mean, and a second column says that it is missing.

    Shapes: B examples, A categorical and K numeric attributes, U units.
    Args:   passes_on: whether the numbers follow the output, for heads that are linear in them.
    """

    def __init__(
        self, buckets: int, n_numbers: int, units: int, *, passes_on: bool = False, seed: int = 0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.buckets, self.n_numbers, self.units, self.seed = buckets, n_numbers, units, seed
        self.passes_on = passes_on
        self.passed_units = n_numbers if passes_on else 0
        self.output_units = units + self.passed_units
        self.dense = keras.layers.Dense(
            units, activation="silu", kernel_initializer=keras.initializers.GlorotUniform(seed + 1), name="dense"
        )

    def build(self, input_shape: Any = None) -> None:
        """Make the vectors, the standardisation and the dense layer."""
        start = keras.initializers.RandomNormal(stddev=0.1, seed=self.seed)
        self.vectors = self.add_weight(name="vectors", shape=(self.buckets + 1, self.units), initializer=start)
        self.mean = self.add_weight(name="mean", shape=(self.n_numbers,), initializer="zeros", trainable=False)
        self.deviation = self.add_weight(name="deviation", shape=(self.n_numbers,), initializer="ones", trainable=False)
        self.dense.build((None, self.units + 2 * self.n_numbers))
        self.built = True

    def call(self, batch: TensorBatch) -> Tensor:
        """float32 [B, U]; with `passes_on` [B, U + K], the numbers last, within 4 standard deviations of the mean."""
        hashes = batch[fields.ATTRIBUTES]
        row = ops.where(hashes == PADDING, 0, 1 + ops.mod(hashes, self.buckets))
        given = ops.cast(hashes != PADDING, self.vectors.dtype)[..., None]
        summed = ops.sum(ops.take(self.vectors, row, axis=0) * given, axis=1)
        numbers = batch[fields.NUMBERS]
        missing = ops.isnan(numbers)
        known = ops.where(missing, ops.zeros_like(numbers), (numbers - self.mean) / self.deviation)
        if self.passes_on:
            known = ops.clip(known, -_LARGEST, _LARGEST)
        outputs = self.dense(ops.concatenate([summed, known, ops.cast(missing, summed.dtype)], axis=-1))
        return ops.concatenate([outputs, known], axis=-1) if self.passes_on else outputs

    def adapt(self, batch: dict[str, np.ndarray]) -> None:
        """Set mean and deviation of the numbers; a column without two different values keeps 0 and 1."""
        numbers = batch[fields.NUMBERS].astype(np.float64)
        for column in range(self.n_numbers):
            values = numbers[:, column][np.isfinite(numbers[:, column])]
            if len(values) and values.std() > 0:
                mean, deviation = np.array(self.mean), np.array(self.deviation)
                mean[column], deviation[column] = values.mean(), values.std()
                self.mean.assign(mean)
                self.deviation.assign(deviation)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        config: dict[str, Any] = super().get_config()
        sizes = {"buckets": self.buckets, "n_numbers": self.n_numbers, "units": self.units}
        return config | sizes | {"passes_on": self.passes_on, "seed": self.seed}
