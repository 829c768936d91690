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
_PARTS = (0.5, 0.0, 1.0)
"""Of the network in log odds; of equals the first is taken."""


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

    def finish(self, model_path: Path, data: ReturnData, settings: TrainingSettings) -> None:
        """Keep the mean of network and trees, or only the one that does better without the other."""
        from models.saved_files import load_return_model

        model = load_return_model(model_path)
        model.network_part = chosen_part(model, data)
        aside = model_path.with_name("finishing.keras")
        model.save(aside)
        aside.replace(model_path)

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
    """Log odds of lines by a loaded model: the mean of its network's and its trees', as `network_part` weighs them."""

    def __init__(self, model: "LineReturns") -> None:
        from pipeline.dataset.tensors import compiled

        self._network = compiled(model.log_odds)
        self._trees = BoostedReturns(model.trees) if model.trees else None
        self._part = model.network_part if model.trees else 1.0

    def __call__(self, batch: Batch) -> np.ndarray:
        """Log odds that something of each line comes back; float64 [n]."""
        network, trees = self.both(batch)
        return _mean(network, trees, self._part)

    def both(self, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
        """The network's and the trees'; float64 [n] each, the network's twice where there are no trees."""
        network: np.ndarray = self._network(batch).astype(float)
        return network, network if self._trees is None else self._trees.log_odds(batch[fields.NUMBERS])


def chosen_part(model: "LineReturns", data: ReturnData) -> float:
    """The network's part with the smallest log loss of the validation lines, which neither has learned from.

    The part stays as it is where the model has no trees, or where not some of the lines came back and some stayed.
    """
    rows, scorer = data.validation_rows, ReturnScorer(model)
    returned = data.returned_of(rows).astype(float)
    if not model.trees or not 0.0 < returned.mean() < 1.0:
        return model.network_part
    parts = [scorer.both(data.pasts.batch(rows[first : first + _AT_ONCE])) for first in range(0, len(rows), _AT_ONCE)]
    network, trees = (np.concatenate(each) for each in zip(*parts, strict=True))

    def loss(part: float) -> float:
        log_odds = _mean(network, trees, part)
        return float((np.logaddexp(0.0, log_odds) - returned * log_odds).mean())

    return min(_PARTS, key=loss)


def _mean(network: np.ndarray, trees: np.ndarray, part: float) -> np.ndarray:
    found: np.ndarray = part * network + (1.0 - part) * trees
    return found


def predicted_log_odds(model: "LineReturns", pasts: ReturnPasts, rows: np.ndarray) -> np.ndarray:
    """Log odds that each of some lines comes back; float64 [n]."""
    scorer = ReturnScorer(model)
    parts = [scorer(pasts.batch(rows[first : first + _AT_ONCE])) for first in range(0, len(rows), _AT_ONCE)]
    return np.concatenate([*parts, np.zeros(0)])
