"""Days until the next basket: the paper's regression, or the risk of each further day.

A head maps the funnel's state to numbers [B, n] (its `call`), which its other methods read. Days are whole and counted
from the last basket; a second basket on the same day comes after 0 days.

Source: LENS, time to next event. The hazard head differs from it: see `HazardHead`.
"""

from math import log
from typing import Any

import keras
import numpy as np
from keras import ops

_LONGEST_DAYS = 3650.0
_UNIT_DAYS = 7.0  # regression counts in weeks: squared days would drown the other losses
_START_WEEKS = 1.0
# One interval per day for four weeks, then per week: few gaps are that long, and nobody plans them to the day.
_WIDTHS = np.array([1.0] * 29 + [7.0] * 9, np.float32)
_ENDS = np.cumsum(_WIDTHS) - 1.0  # last day of each interval; the first one holds day 0 alone
_STARTS = _ENDS - _WIDTHS  # exclusive
N_INTERVALS = len(_WIDTHS)
_START_HAZARD = 0.06  # a day


@keras.saving.register_keras_serializable("larder")
class RegressionHead(keras.layers.Layer):
    """One number of days, by mean squared or mean absolute error; gaps that have not ended teach it nothing.

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

    def call(self, inputs: Any) -> Any:
        """Predicted weeks; float32 [B, I] -> [B, 1]."""
        return self.weeks(inputs)

    def loss(self, weeks: Any, gap_days: Any, is_observed: Any) -> Any:
        """Squared or absolute error in weeks, 0 where the gap has not ended; float32 [B]."""
        distance = (weeks[:, 0] - gap_days / _UNIT_DAYS) * is_observed
        return ops.square(distance) if self.error == "mse" else ops.abs(distance)

    def median(self, weeks: Any, elapsed_days: Any) -> Any:
        """Predicted days from the last basket, today at the earliest; float32 [B]."""
        return ops.maximum(weeks[:, 0] * _UNIT_DAYS, elapsed_days)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return super().get_config() | {"input_units": self.input_units, "error": self.error, "seed": self.seed}


@keras.saving.register_keras_serializable("larder")
class HazardHead(keras.layers.Layer):
    """The probability of a basket in each interval of days, given that none came before it.

    Why beside the paper's regression: a gap that has not ended yet says that the customer stayed away that long. Left
    out, as a regression must, the gaps that remain are the short ones and everyone seems to come back soon. And a
    customer who is overdue, or has lapsed, would be expected on the business date itself; the median of what remains,
    given the days that have passed, moves on instead.

    Beyond the last interval the hazard of the last one goes on.

    Shapes: B funnels, I inputs, K intervals, D days asked for.
    Source: discrete-time survival, as in Gensheimer and Narasimhan, "A scalable discrete-time survival model for
            neural networks", PeerJ 2019.
    """

    def __init__(self, input_units: int, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.input_units, self.seed = input_units, seed
        hazard = 1.0 - (1.0 - _START_HAZARD) ** _WIDTHS
        self.log_odds = _dense(N_INTERVALS, np.log(hazard / (1.0 - hazard)), seed, name="log_odds")

    def build(self, input_shape: Any = None) -> None:
        """Build the one dense layer."""
        self.log_odds.build((None, self.input_units))
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Log odds of each interval's hazard; float32 [B, I] -> [B, K]."""
        return self.log_odds(inputs)

    def loss(self, log_odds: Any, gap_days: Any, is_observed: Any) -> Any:
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

    def log_survival(self, log_odds: Any, days: Any) -> Any:
        """Log probability that no basket comes until the end of each of the days, -1 being the start; [B, D]."""
        passed = ops.clip((days[:, :, None] - _STARTS) / _WIDTHS, 0.0, 1.0)
        beyond = ops.maximum(days - _ENDS[-1], 0.0) / _WIDTHS[-1]
        risk = ops.softplus(log_odds)
        return -ops.sum(passed * risk[:, None], axis=-1) - beyond * risk[:, -1:]

    def median(self, log_odds: Any, elapsed_days: Any) -> Any:
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
        return super().get_config() | {"input_units": self.input_units, "seed": self.seed}


def time_head(kind: str, input_units: int, seed: int) -> RegressionHead | HazardHead:
    """The head of that name: "hazard", "mse" or "mae". Raises: ValueError: for another."""
    if kind == "hazard":
        return HazardHead(input_units, seed=seed, name="time_to_next")
    if kind in ("mse", "mae"):
        return RegressionHead(input_units, kind, seed=seed, name="time_to_next")
    raise ValueError(f"unknown time head {kind!r}; known: hazard, mse, mae")


def _dense(units: int, start: Any, seed: int, **options: Any) -> Any:
    """A dense layer that says `start` to everyone before training."""
    normal = keras.initializers.RandomNormal(stddev=0.01, seed=seed)
    constant = keras.initializers.Constant(np.asarray(start, np.float32))
    return keras.layers.Dense(units, kernel_initializer=normal, bias_initializer=constant, **options)
