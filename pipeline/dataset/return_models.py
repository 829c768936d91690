"""How a return model is made from its training lines, and what it says of others."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from models import fields
from models.baselines.return_rates import BoostedReturns, LogisticReturns, ReturnTrees
from models.returns.config import ReturnConfig
from models.returns.timing import ReturnTiming
from pipeline.dataset.return_batches import ReturnData, ReturnPasts
from pipeline.dataset.return_features import LINE_NUMBERS, ORDER_NUMBERS, RATES
from pipeline.settings import TrainingSettings
from pipeline.task import Batch, Objective

if TYPE_CHECKING:
    from models.line_returns import LineReturns

_AT_ONCE = 2048


class ReturnTraining:
    """What the training loop asks of a task, for one configuration.

    Args: timing, base_rate: of the training lines.
    """

    example_array = "numbers"

    def __init__(self, config: ReturnConfig, timing: ReturnTiming, base_rate: float) -> None:
        self._config, self._timing, self._base_rate = config, timing, base_rate

    def build(self, examples: Any, settings: TrainingSettings, initial_model: Path | None) -> "LineReturns":
        """A new model: on the weights of the initial one where it reads the same, else a logistic regression."""
        from models.line_returns import LineReturns
        from models.saved_files import load_return_model

        model = LineReturns(
            asdict(self._config),
            len(ORDER_NUMBERS),
            LINE_NUMBERS,
            base_rate=self._base_rate,
            timing=self._timing.as_stored(),
            trees=self._grown(examples) if self._config.reads_trees else "",
        )
        before = load_return_model(initial_model) if initial_model is not None else None
        if before is not None and before.reads_as(model):
            model.warm_start_from(before)
        else:
            model.adapt(standardised_by(examples))
            model.start_linear(*LogisticReturns(*examples.learned).weights)
        return model

    def _grown(self, data: ReturnData) -> str:
        return BoostedReturns.fit(*data.learned, ReturnTrees(seed=self._config.seed), RATES).text

    def fine_tuning(self, settings: TrainingSettings, worker: int) -> Objective | None:
        """Nothing follows."""
        return None


def standardised_by(data: ReturnData) -> dict[str, np.ndarray]:
    """The numbers of all training lines, by which a model standardises; no event has a date."""
    return {
        fields.NUMBERS: data.pasts.features.numbers[data.train],
        fields.EVENT_IDS: np.ones((1, 1), np.int32),
        fields.EVENT_DAYS: np.zeros((1, 1), np.float32),
    }


class ReturnScorer:
    """Log odds of lines by a loaded model: the mean of its network's and its trees'."""

    def __init__(self, model: "LineReturns") -> None:
        from pipeline.dataset.tensors import compiled

        self._network = compiled(model.log_odds)
        self._trees = BoostedReturns(model.trees) if model.trees else None

    def __call__(self, batch: Batch) -> np.ndarray:
        """Log odds that something of each line comes back; float64 [n]."""
        found: np.ndarray = self._network(batch).astype(float)
        return found if self._trees is None else (found + self._trees.log_odds(batch[fields.NUMBERS])) / 2


def predicted_log_odds(model: "LineReturns", pasts: ReturnPasts, rows: np.ndarray) -> np.ndarray:
    """Log odds that each of some lines comes back; float64 [n]."""
    scorer = ReturnScorer(model)
    parts = [scorer(pasts.batch(rows[first : first + _AT_ONCE])) for first in range(0, len(rows), _AT_ONCE)]
    return np.concatenate([*parts, np.zeros(0)])
