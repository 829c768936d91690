"""The next-offer model as a method, trained by the nightly loop on the cases of the protocol."""

import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from models.next_offer_config import NextOfferConfig
from pipeline.benchmarks.next_offer.problems import Problem
from pipeline.dataset.offer_examples import OfferData, OfferPasts, days_from
from pipeline.settings import TrainingSettings
from pipeline.task import Objective

if TYPE_CHECKING:
    from models.next_offer import NextOfferModel

_AT_ONCE = 1000
EPOCHS, LEARNING_RATE = 2, 2e-3


class NeuralOffers:
    """A configuration of the model.

    Args: waiting: whether customers who wait for their next event are training cases too; members: models whose
          probabilities are averaged, of as many seeds.
    """

    def __init__(self, config: NextOfferConfig, seed: int, *, waiting: bool = True, members: int = 1) -> None:
        self._config, self._seed, self._waiting, self._members = config, seed, waiting, members
        self._joints: list[Any] = []

    def fit(self, problem: Problem, pasts: OfferPasts, end: int) -> None:
        """Train every member for a fixed number of epochs, chosen on the validation cases."""
        from pipeline.dataset.tensors import compiled

        self._pasts = pasts
        train = problem.cases(0, end, min_events=1, waiting=self._waiting)
        nothing = train.take(np.zeros(0, np.int64))
        for member in range(self._members):
            seed = self._seed * self._members + member
            first = days_from(problem.events, problem.first_day + end)
            data = OfferData(pasts, train, nothing, problem.edges, seed=seed, days_from=first)
            model = self._trained(problem, data, seed)
            self._joints.append(compiled(model.joint))

    def predict(self, rows: np.ndarray) -> np.ndarray:
        """Mean of the members' joint probabilities."""
        parts = []
        for part in np.array_split(rows, -(-len(rows) // _AT_ONCE)):
            batch = self._pasts.batch(part)
            parts.append(np.mean([joint(batch) for joint in self._joints], axis=0))
        return np.concatenate(parts)

    def settings(self) -> dict[str, Any]:
        """Configuration and training."""
        training = {"epochs": EPOCHS, "learning_rate": LEARNING_RATE, "waiting": self._waiting}
        return {"model": asdict(self._config), "training": training, "members": self._members}

    def _trained(self, problem: Problem, data: OfferData, seed: int) -> "NextOfferModel":
        from models.saved_files import load_next_offer_model
        from pipeline.training.spec import TrainingFolder
        from pipeline.training.train import train_alone

        settings = TrainingSettings(
            workers=1, epochs=EPOCHS, max_steps=10**9, seed=seed, learning_rate=LEARNING_RATE, checkpoint_steps=10**9
        )
        with tempfile.TemporaryDirectory() as folder:
            spec = TrainingFolder(folder=Path(folder), settings=settings)
            train_alone(_Trained(problem, replace(self._config, seed=seed)), spec, data)  # type: ignore[arg-type]
            return load_next_offer_model(spec.model_path)


class _Trained:
    """What the loop asks of a task."""

    example_array = "target_offers"

    def __init__(self, problem: Problem, config: NextOfferConfig) -> None:
        self._problem, self._config = problem, config

    def build(self, examples: Any, settings: TrainingSettings, initial_model: Path | None) -> "NextOfferModel":
        from models.next_offer import NextOfferModel

        problem = self._problem
        return NextOfferModel(asdict(self._config), problem.names, problem.edges, problem.owned_again)

    def fine_tuning(self, settings: TrainingSettings, worker: int) -> Objective | None:
        return None
