"""LENS trained for a benchmark, by the nightly loop in this process."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.settings import TrainingSettings

if TYPE_CHECKING:
    from models.lens import Lens
    from pipeline.dataset.examples import LensTrainingData

_MOST_PASSES, _PATIENCE = 12, 3
PASSES = "@"
"""Between the name of an architecture and the passes over the examples of a whole schedule: `lens@2`."""


def whole_schedule(architecture: str, seed: int, passes: int | None, **changed: Any) -> TrainingSettings:
    """A training of so many passes; by default at most 12, until validation gets no better."""
    return TrainingSettings(
        architecture=architecture,
        workers=1,
        epochs=passes or _MOST_PASSES,
        max_steps=10**9,
        patience=passes or _PATIENCE,
        seed=seed,
        **changed,
    )


def trained_lens(data: "LensTrainingData", settings: TrainingSettings) -> tuple["Lens", int]:
    """The model that a night keeps, and how many passes over the customers its training took."""
    from models.saved_files import load_model
    from pipeline.tasks.next_basket import NextBasket
    from pipeline.training.history import read_history
    from pipeline.training.spec import TrainingFolder
    from pipeline.training.train import train_alone

    with tempfile.TemporaryDirectory() as folder:
        spec = TrainingFolder(folder=Path(folder), settings=settings)
        train_alone(NextBasket(), spec, data)
        return load_model(spec.model_path), len(read_history(spec.history_path, settings.epochs))


def passes_of(name: str) -> tuple[str, int | None]:
    """A method's name without its passes, and these; None where the name says nothing of them.

    Raises: ValueError: for passes that are no number.
    """
    trained, at, passes = name.partition(PASSES)
    if at and not (passes.isdecimal() and int(passes)):
        raise ValueError(f"{name}: the passes after {PASSES} must be a whole number from 1, as in lens{PASSES}2")
    return trained, int(passes) if at else None
