"""The rhythm head of the days until the next basket, trained alone before the whole model."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pipeline.settings import TrainingSettings
from pipeline.training.small_steps import take_small_steps

if TYPE_CHECKING:
    from models.heads.time_to_next import HazardHead

_PASSES = 8


class RhythmExamples(NamedTuple):
    """Training examples, also those whose next basket has not come.

    rhythm: float32 [n, R], see models/fields.py; gap_days, is_observed: float32 [n].
    """

    rhythm: np.ndarray
    gap_days: np.ndarray
    is_observed: np.ndarray

    @classmethod
    def joined(cls, parts: "Sequence[RhythmExamples]") -> "RhythmExamples":
        """Those of all parts, at least one."""
        return cls(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def train_rhythm(head: "HazardHead", examples: RhythmExamples, settings: TrainingSettings) -> int:
    """Train what it makes of the rhythm; returns the steps taken.

    There are 8 passes over the examples, or `settings.rhythm_steps` batches where that is less.
    """
    # Variables of a distribution strategy cannot be trained outside its steps: a copy is.
    alone = type(head).from_config(head.get_config())
    alone.build()
    alone.set_weights(head.get_weights())
    alone.rhythm_head.trainable = True
    alone.rhythm_head.adapt(examples.rhythm)
    steps = min(_PASSES * -(-len(examples.rhythm) // settings.batch_size), settings.rhythm_steps)
    take_small_steps(alone.rhythm_head, alone.rhythm_loss, examples, settings, steps=steps)
    head.set_weights(alone.get_weights())
    return steps
