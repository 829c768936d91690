"""The return model as a method, trained by the nightly loop on the lines of the protocol."""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from models.returns.config import ReturnConfig
from pipeline.benchmarks.returns.problems import Problem
from pipeline.dataset.return_batches import ReturnData
from pipeline.dataset.return_models import ReturnTraining, predicted_log_odds
from pipeline.dataset.return_outcomes import return_timing
from pipeline.settings import TrainingSettings

EPOCHS, LEARNING_RATE = 2, 3e-4


class NeuralReturns:
    """A configuration of the model.

    Args: members: models whose log odds are averaged, of as many seeds.
    """

    def __init__(self, config: ReturnConfig, seed: int, *, members: int = 1) -> None:
        self._config, self._seed, self._members = config, seed, members

    def fit_predict(self, problem: Problem, train: np.ndarray, measured: np.ndarray) -> np.ndarray:
        """Mean log odds of the members, each trained for a fixed number of epochs, chosen on the validation lines."""
        pasts = problem.pasts(self._config.longest_past)
        nothing = np.zeros(0, np.int64)
        timing = return_timing(problem.lines, train, problem.horizon)
        found = []
        for member in range(self._members):
            seed = self._seed * self._members + member
            data = ReturnData(pasts, train, nothing, problem.returned, seed)
            task = ReturnTraining(replace(self._config, seed=seed), timing, float(problem.returned[train].mean()))
            found.append(self._trained(task, data, seed, measured))
        mean: np.ndarray = np.mean(found, axis=0)
        return mean

    def settings(self) -> dict[str, Any]:
        """Configuration and training."""
        from dataclasses import asdict

        training = {"epochs": EPOCHS, "learning_rate": LEARNING_RATE}
        return {"model": asdict(self._config), "training": training, "members": self._members}

    def _trained(self, task: ReturnTraining, data: ReturnData, seed: int, measured: np.ndarray) -> np.ndarray:
        from models.saved_files import load_return_model
        from pipeline.training.spec import TrainingFolder
        from pipeline.training.train import train_alone

        settings = TrainingSettings(
            workers=1, epochs=EPOCHS, max_steps=10**9, seed=seed, learning_rate=LEARNING_RATE, checkpoint_steps=10**9
        )
        with tempfile.TemporaryDirectory() as folder:
            spec = TrainingFolder(folder=Path(folder), settings=settings)
            train_alone(task, spec, data)  # type: ignore[arg-type]
            return predicted_log_odds(load_return_model(spec.model_path), data.pasts, measured)
