"""LENS trained for a benchmark, by the nightly loop in this process."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.settings import TrainingSettings

if TYPE_CHECKING:
    from models.lens import Lens
    from pipeline.dataset.examples import LensTrainingData


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
