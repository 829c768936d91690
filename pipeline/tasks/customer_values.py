"""What each customer is worth: baskets and spend of the days to come."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pipeline.settings import TrainingSettings
from pipeline.tables.customer_values import CUSTOMER_VALUES
from pipeline.task import Metrics, PredictionInput, Tables

if TYPE_CHECKING:
    from models.customer_value.value_model import ValueModel
    from pipeline.dataset.customer_value_rows import ValuePredictor
    from pipeline.dataset.customer_values import ValueExamples


class CustomerValues:
    """Methods tried on the days before the held-out ones; the best of them, fitted again, is tonight's candidate.

    The horizon that is learned is as long as the held-out days; longer ones go on from it in closed form.
    """

    name = "customer_values"
    reads: tuple[str, ...] = ("customer_days",)
    writes = CUSTOMER_VALUES
    tables_beside_model: tuple[str, ...] = ()
    model_file = "model.json"
    gate_metric = "spend_gini"
    smaller_is_better: frozenset[str] = frozenset({"spend_mae", "baskets_mae"})
    training_defaults: Mapping[str, Any] = MappingProxyType({"holdout_days": 30})

    def architecture(self, settings: TrainingSettings) -> str:
        """There is one."""
        return "customer_value"

    def vocabulary_hash(self, tables: Tables) -> str:
        """None: the model knows no product."""
        return ""

    def examples(self, tables: Tables, business_date: date, settings: TrainingSettings) -> "ValueExamples":
        """Days before the held-out ones to learn from, and the held-out days."""
        from pipeline.dataset.customer_values import ValueExamples

        return ValueExamples.open(tables, business_date, settings)

    def fit(
        self, examples: "ValueExamples", settings: TrainingSettings, initial_model: Path | None, model_path: Path
    ) -> list[Metrics]:
        """Choose and fit; every method's figures on the validated days are kept as rounds."""
        model = examples.fitted()
        model_path.write_text(model.to_json(), encoding="utf-8")
        return [{"is_chosen": float(name == model.name), **model.validated[name]} for name in model.validated]

    def measure(self, model_path: Path, examples: "ValueExamples", limit: int) -> Metrics:
        """Scores of the held-out days."""
        return examples.measure(self.load(model_path), limit)

    def measure_baselines(self, examples: "ValueExamples", limit: int) -> dict[str, Metrics]:
        """The same of what customers did so far."""
        return examples.measure_baselines(limit)

    def problems(self, model_path: Path, tables: Tables) -> list[str]:
        """Not such a model, or figures that are not finite."""
        from pipeline.dataset.customer_values import model_problems

        return model_problems(model_path)

    def load(self, model_path: Path) -> "ValueModel":
        """The model, which is read as data."""
        from models.customer_value.value_model import ValueModel

        return ValueModel.from_json(model_path.read_text(encoding="utf-8"))

    def predictor(self, given: PredictionInput) -> "ValuePredictor":
        """Rows of customers with their days in; no `statistics`."""
        from pipeline.dataset.customer_value_rows import value_predictor

        return value_predictor(given)

    def former_name(self, source_name: str) -> None:
        """None: the task is new."""
        return
