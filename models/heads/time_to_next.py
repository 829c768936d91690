"""Days until the next basket: the paper's regression, or the hazard of each further day.

Days are whole and counted from the last basket; a second basket on the same day comes after 0 days.

Source: LENS, time to next event. The hazard head differs from it: see `HazardHead`.
"""

from math import log
from typing import Any

import keras
import numpy as np
from keras import ops

from models import fields
from models.heads.head import Head
from models.heads.rhythm import RhythmHead
from models.names import unknown_name
from models.tensors import Tensor, TensorBatch

_LONGEST_DAYS = 3650.0
_UNIT_DAYS = 7.0  # regression counts in weeks: squared days would drown the other losses
_START_WEEKS = 1.0
# One interval per day for four weeks, then per week: few gaps are that long, and nobody plans them to the day.
_WIDTHS = np.array([1.0] * 29 + [7.0] * 9, np.float32)
_ENDS = np.cumsum(_WIDTHS) - 1.0  # last day of each interval; the first one holds day 0 alone
_STARTS = _ENDS - _WIDTHS  # exclusive
N_INTERVALS = len(_WIDTHS)
_START_HAZARDS = 1.0 - (1.0 - 0.06) ** _WIDTHS  # .06 a day
_START_LOG_ODDS = np.log(_START_HAZARDS / (1.0 - _START_HAZARDS))
TIME_HEADS = ("hazard", "mse", "mae")


class TimeHead(Head):
    """What both kinds share: outputs, [B, n], from which a loss and a median are computed."""

    loss_names = ("gap",)

    def loss(self, outputs: Tensor, gap_days: Tensor, is_observed: Tensor) -> Tensor:
        """Loss of each gap, whether it has ended or not; float32 [B]."""
        raise NotImplementedError

    def median(self, outputs: Tensor, elapsed_days: Tensor) -> Tensor:
        """Median days from the last basket to the next, which did not come before the elapsed day; float32 [B]."""
        raise NotImplementedError

    def log_survival(self, outputs: Tensor, days: Tensor) -> Tensor:
        """Log probability that no basket comes until the end of each of the days; float32 [B, D].

        Raises: NotImplementedError: for a head that only regresses.
        """
        raise NotImplementedError(f"{type(self).__name__} predicts no distribution; use the hazard time head")

    def loss_per_example(self, outputs: Tensor, batch: TensorBatch) -> dict[str, Tensor]:
        """The loss of each gap; float32 [B]."""
        return {"gap": self.loss(outputs, batch[fields.TARGET_GAP_DAYS], batch[fields.TARGET_OBSERVED])}

    def predict(self, state: Tensor, batch: TensorBatch) -> dict[str, Tensor]:
        """gap_days float32 [B], median days from the last basket to the next; due_days float32 [B], the same given the
        elapsed days, and never less than those."""
        outputs = self(state, batch)
        return {
            "gap_days": self.median(outputs, ops.zeros_like(outputs[:, 0])),
            "due_days": self.median(outputs, batch[fields.ELAPSED_DAYS]),
        }


@keras.saving.register_keras_serializable("larder")
class RegressionHead(TimeHead):
    """One number of days, by mean squared or mean absolute error; gaps that have not ended have loss 0.

    Shapes: B funnels, I inputs.
    Args:   error: "mse" or "mae", of weeks.
    Source: LENS, time to next event.
    """

    def __init__(self, input_units: int, error: str = "mse", seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.input_units, self.error, self.seed = input_units, error, seed
        self.weeks = _dense(1, log(np.expm1(_START_WEEKS)), seed, activation="softplus", name="weeks")

    def build(self, input_shape: Any = None) -> None:
        """Build the one dense layer."""
        self.weeks.build((None, self.input_units))
        self.built = True

    def call(self, inputs: Tensor, batch: TensorBatch | None = None, training: bool = False) -> Tensor:
        """Predicted weeks; float32 [B, I] -> [B, 1]."""
        return self.weeks(inputs)

    def loss(self, weeks: Tensor, gap_days: Tensor, is_observed: Tensor) -> Tensor:
        """Squared or absolute error in weeks, 0 where the gap has not ended; float32 [B]."""
        distance = (weeks[:, 0] - gap_days / _UNIT_DAYS) * is_observed
        return ops.square(distance) if self.error == "mse" else ops.abs(distance)

    def median(self, weeks: Tensor, elapsed_days: Tensor) -> Tensor:
        """Predicted days from the last basket, today at the earliest; float32 [B]."""
        return ops.maximum(weeks[:, 0] * _UNIT_DAYS, elapsed_days)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        config: dict[str, Any] = super().get_config() | {
            "input_units": self.input_units,
            "error": self.error,
            "seed": self.seed,
        }
        return config


@keras.saving.register_keras_serializable("larder")
class HazardHead(TimeHead):
    """The probability of a basket in each interval of days, given that none came before it.

    Why beside the paper's regression: a gap that has not ended is a censored observation. A regression must leave it
    out; the gaps that remain are the short ones, and everyone seems to come back soon. And a customer who is overdue,
    or has lapsed, would be expected on the business date itself; the median given the elapsed days moves on instead.

    Beyond the last interval the hazard of the last one goes on.

    Shapes: B funnels, I inputs, K intervals, D requested days.
    Args:   rhythm_units: width of the layers that read the rhythm of the funnel's baskets; 0: the inputs are all.
    Source: discrete-time survival, as in Gensheimer and Narasimhan, "A scalable discrete-time survival model for
            neural networks", PeerJ 2019.
    """

    def __init__(self, input_units: int, rhythm_units: int = 0, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.input_units, self.rhythm_units, self.seed = input_units, rhythm_units, seed
        self.log_odds = _dense(N_INTERVALS, _START_LOG_ODDS, seed, name="log_odds")
        self.rhythm_head = None
        if rhythm_units > 0:
            self.rhythm_head = RhythmHead(fields.N_RHYTHM_FEATURES, rhythm_units, N_INTERVALS, seed, name="rhythm")

    def build(self, input_shape: Any = None) -> None:
        """Build the dense layers."""
        self.log_odds.build((None, self.input_units))
        if self.rhythm_head is not None:
            self.rhythm_head.build()
        self.built = True

    def call(self, inputs: Tensor, batch: TensorBatch | None = None, training: bool = False) -> Tensor:
        """Log odds of each interval's hazard; float32 [B, I] -> [B, K]. The batch is read for the rhythm alone."""
        log_odds = self.log_odds(inputs)
        if self.rhythm_head is None:
            return log_odds
        assert batch is not None
        return log_odds + self.rhythm_head(batch[fields.RHYTHM])

    def rhythm_loss(self, rhythm: Tensor, gap_days: Tensor, is_observed: Tensor) -> Tensor:
        """Of each example, what it takes to train `rhythm_head` alone; float32 [B, R], 2 x [B] -> float32 [B]."""
        assert self.rhythm_head is not None
        return self.loss(self.log_odds.bias + self.rhythm_head(rhythm), gap_days, is_observed)

    def loss(self, log_odds: Tensor, gap_days: Tensor, is_observed: Tensor) -> Tensor:
        """Negative log likelihood of the interval in which the gap ended, or of lasting that long; float32 [B].

        Args: gap_days: float32 [B], where `is_observed` is 0 the days after which the next basket is still to come:
              it may come on that day, none came before.
        """
        days = gap_days[:, None]
        lasted = ops.where(is_observed[:, None] > 0, days, days - 1.0)
        is_over = ops.cast(lasted >= _ENDS, log_odds.dtype)
        ends_here = ops.cast(ops.logical_and(days > _STARTS, days <= _ENDS), log_odds.dtype) * is_observed[:, None]
        survived = ops.sum(is_over * (1.0 - ends_here) * ops.softplus(log_odds), axis=-1)
        return survived + ops.sum(ends_here * ops.softplus(-log_odds), axis=-1)

    def log_survival(self, log_odds: Tensor, days: Tensor) -> Tensor:
        """Log probability that no basket comes until the end of each of the days, -1 being the start; [B, D]."""
        passed = ops.clip((days[:, :, None] - _STARTS) / _WIDTHS, 0.0, 1.0)
        beyond = ops.maximum(days - _ENDS[-1], 0.0) / _WIDTHS[-1]
        risk = ops.softplus(log_odds)
        return -ops.sum(passed * risk[:, None], axis=-1) - beyond * risk[:, -1:]

    def median(self, log_odds: Tensor, elapsed_days: Tensor) -> Tensor:
        """Median days from the last basket, given that none came before the elapsed day; float32 [B]."""
        so_far = self.log_survival(log_odds, elapsed_days[:, None] - 1.0)[:, 0]
        aim = so_far + log(0.5)
        risk = ops.softplus(log_odds)
        after = -ops.cumsum(risk, axis=-1)
        reached = ops.clip((after + risk - aim[:, None]) / ops.maximum(risk, 1e-9), 0.0, 1.0)
        beyond = ops.maximum(after[:, -1] - aim, 0.0) / ops.maximum(risk[:, -1], 1e-9) * _WIDTHS[-1]
        # A day's risk is spread over the day before its end: halfway through is that day.
        days = ops.sum(reached * _WIDTHS, axis=-1) - 1.0 + beyond + 0.5
        return ops.clip(days, elapsed_days, _LONGEST_DAYS)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        sizes = {"input_units": self.input_units, "rhythm_units": self.rhythm_units, "seed": self.seed}
        config: dict[str, Any] = super().get_config() | sizes
        return config


def time_head(kind: str, input_units: int, seed: int, rhythm_units: int = 0) -> TimeHead:
    """The head of that name.

    Raises: ValueError: for a name that is not one of TIME_HEADS.
    """
    if kind not in TIME_HEADS:
        raise ValueError(unknown_name("time head", kind, TIME_HEADS))
    if kind == "hazard":
        return HazardHead(input_units, rhythm_units, seed=seed, name="time_to_next")
    return RegressionHead(input_units, kind, seed=seed, name="time_to_next")


def _dense(units: int, start: Any, seed: int, **options: Any) -> keras.layers.Dense:
    """A dense layer whose untrained output is `start` for everyone."""
    normal = keras.initializers.RandomNormal(stddev=0.01, seed=seed)
    constant = keras.initializers.Constant(np.asarray(start, np.float32))
    return keras.layers.Dense(units, kernel_initializer=normal, bias_initializer=constant, **options)
