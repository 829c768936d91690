"""Which order lines come back within the return window, and when."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from models.returns.config import RETURN_ARCHITECTURES, architecture_name
from pipeline.settings import TrainingSettings
from pipeline.tables.return_forecasts import RETURN_FORECASTS
from pipeline.task import Metrics, Objective, PredictionInput, Tables

if TYPE_CHECKING:
    from models.line_returns import LineReturns
    from pipeline.dataset.return_models import ReturnTraining
    from pipeline.dataset.return_rows import ReturnPredictor
    from pipeline.dataset.returns import ReturnExamples

# Imports that start TensorFlow or read Parquet lie in the methods: the command line and the gate need none of them.


class Returns:
    """The return model, trained by the distributed loop on lines whose return window is over."""

    name = "returns"
    reads: tuple[str, ...] = ("order_lines", "products")
    writes = RETURN_FORECASTS
    tables_beside_model: tuple[str, ...] = ()
    model_file = "model.keras"
    gate_metric = "ap"
    smaller_is_better = frozenset({"log_loss"})
    example_array = "numbers"
    training_defaults: Mapping[str, Any] = MappingProxyType({"epochs": 3, "learning_rate": 3e-4, "holdout_days": 28})

    def architecture(self, settings: TrainingSettings) -> str:
        """A name in models/returns/config.py."""
        return architecture_name(settings.architecture)

    def vocabulary_hash(self, tables: Tables) -> str:
        """None: products and attributes are read by their hashes."""
        return ""

    def examples(self, tables: Tables, business_date: date, settings: TrainingSettings) -> "ReturnExamples":
        """Lines whose return window is over."""
        from pipeline.dataset.returns import ReturnExamples

        return ReturnExamples.open(tables, business_date, settings)

    def measure(self, model_path: Path, examples: "ReturnExamples", limit: int) -> Metrics:
        """How well probabilities rank and how large they are."""
        from pipeline.dataset.returns import measure

        return measure(self.load(model_path), examples, limit)

    def measure_baselines(self, examples: "ReturnExamples", limit: int) -> dict[str, Metrics]:
        """The same of running rates, a logistic regression, boosted trees, and the mean of the latter two."""
        from pipeline.dataset.returns import measure_baselines

        return measure_baselines(examples, limit)

    def problems(self, model_path: Path, tables: Tables) -> list[str]:
        """Another class, weights that are not finite, or other numbers of a line than this version makes."""
        from pipeline.dataset.return_features import LINE_NUMBERS
        from pipeline.evaluation.stored_model import return_model_problems

        return return_model_problems(model_path, LINE_NUMBERS)

    def load(self, model_path: Path) -> "LineReturns":
        """The model; no code of the file is run."""
        from models.saved_files import load_return_model

        return load_return_model(model_path)

    def predictor(self, given: PredictionInput) -> "ReturnPredictor":
        """Rows of customers with their lines in; no `statistics`."""
        from pipeline.dataset.return_rows import return_predictor

        return return_predictor(given)

    def former_name(self, source_name: str) -> None:
        """None: the task is new."""
        return

    def build(
        self, examples: "ReturnExamples", settings: TrainingSettings, initial_model: Path | None
    ) -> "LineReturns":
        """A new model, or the initial model's weights and standardisation."""
        return self._training(examples, settings).build(examples.data, settings, initial_model)

    def finish(self, model_path: Path, examples: "ReturnExamples", settings: TrainingSettings) -> None:
        """Keep the mean of network and trees, or only the one that does better on the validation lines."""
        self._training(examples, settings).finish(model_path, examples.data, settings)

    def _training(self, examples: "ReturnExamples", settings: TrainingSettings) -> "ReturnTraining":
        from pipeline.dataset.return_models import ReturnTraining

        config = replace(RETURN_ARCHITECTURES[self.architecture(settings)], seed=settings.seed)
        return ReturnTraining(config, examples.timing, examples.base_rate)

    def fine_tuning(self, settings: TrainingSettings, worker: int) -> Objective | None:
        """Nothing follows."""
        return None
