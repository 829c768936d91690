"""The next actions of a sale: what is still to be done in each open case, to its end."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from models.action_architectures import ACTION_ARCHITECTURES, ActionConfig
from models.names import look_up
from pipeline.settings import TrainingSettings
from pipeline.tables.action_plans import ACTION_PLANS
from pipeline.task import Metrics, Objective, PredictionInput, Tables

if TYPE_CHECKING:
    from models.next_actions import NextActions
    from pipeline.dataset.action_examples import ActionExamples
    from pipeline.dataset.action_plan_rows import KnownCases

_CLASS = "larder>NextActions"


class SaleActions:
    """An encoder and decoder with attention, trained by the distributed loop on closed cases."""

    name = "sale_actions"
    reads: tuple[str, ...] = ("actions", "cases")
    writes = ACTION_PLANS
    tables_beside_model: tuple[str, ...] = ()
    model_file = "model.keras"
    gate_metric = "similarity"
    smaller_is_better = frozenset({"win_brier"})
    example_array = "attributes"
    training_defaults: Mapping[str, Any] = MappingProxyType(
        {
            "architecture": "actions_lstm",
            # A step of so small a model is shorter than the exchange of its gradients.
            "workers": 1,
            "epochs": 20,
            "batch_size": 64,
            "learning_rate": 3e-3,
            "max_steps": 20_000,
            "patience": 4,
            "holdout_days": 45,
        }
    )

    def architecture(self, settings: TrainingSettings) -> str:
        """A name in models/action_architectures.py."""
        return settings.architecture

    def vocabulary_hash(self, tables: Tables) -> str:
        """None: the names of the actions are in the model file."""
        return ""

    def examples(self, tables: Tables, business_date: date, settings: TrainingSettings) -> "ActionExamples":
        """Moments of cases."""
        from pipeline.dataset.action_examples import ActionExamples, read_taught_log

        config = _config(settings)
        return ActionExamples.as_of(
            read_taught_log(tables["actions"], tables["cases"], business_date, settings),
            business_date,
            settings,
            longest_past=config.longest_past,
            longest_rest=config.longest_rest,
        )

    def build(
        self, examples: "ActionExamples", settings: TrainingSettings, initial_model: Path | None
    ) -> "NextActions":
        """A new model; on the initial model's weights where its actions and attributes are the same."""
        from models.next_actions import NextActions

        config = _config(settings)
        if config.kind == "attention":
            # Decoding is unrolled step by step: none is spent on what is longer than any known remainder and its end.
            longest = examples.log.lengths[examples.train.rows] - examples.train.ends
            config = replace(config, longest_rest=min(config.longest_rest, int(longest.max()) + 1))
        model = NextActions(
            asdict(config),
            examples.named.action_names,
            examples.log.numbers.shape[1],
            examples.has_outcomes,
        )
        model.adapt(examples.arrays(examples.train))
        if initial_model is not None:
            before = self.load(initial_model)
            if before.action_names == model.action_names and before.n_numbers == model.n_numbers:
                model.warm_start_from(before)
        return model

    def fine_tuning(self, settings: TrainingSettings, worker: int) -> Objective | None:
        """None."""
        return None

    def measure(self, model_path: Path, examples: "ActionExamples", limit: int) -> Metrics:
        """Similarity and accuracy of plans for held-out moments."""
        from pipeline.dataset.action_planner import ActionPlanner
        from pipeline.evaluation.actions import measure_planner

        return measure_planner(ActionPlanner(self.load(model_path)), examples, limit)

    def measure_baselines(self, examples: "ActionExamples", limit: int) -> dict[str, Metrics]:
        """The same of counts by context."""
        from models.baselines.action_remainders import METHODS
        from pipeline.evaluation.actions import measure_method

        return {name: measure_method(make(), examples, limit) for name, make in METHODS.items()}

    def problems(self, model_path: Path, tables: Tables) -> list[str]:
        """Another class, or weights that are not finite."""
        from pipeline.evaluation.stored_model import model_problems

        return model_problems(model_path, _CLASS)

    def load(self, model_path: Path) -> "NextActions":
        """The model; no code of the file is run."""
        from models.saved_files import load_next_actions_model

        return load_next_actions_model(model_path)

    def predictor(self, given: PredictionInput) -> "ActionPredictor":
        """Rows of open cases in; `statistics` are the job's `KnownCases`."""
        return ActionPredictor(
            given.model.model_path.read_bytes() if given.model else None,
            given.model.version if given.model else "medoid",
            given.business_date,
            given.statistics,
        )

    def former_name(self, source_name: str) -> str | None:
        """There was none."""
        return None


def _config(settings: TrainingSettings) -> ActionConfig:
    return replace(look_up("architecture", settings.architecture, ACTION_ARCHITECTURES), seed=settings.seed)


class ActionPredictor:
    """Plans open cases in Spark's executors."""

    def __init__(self, model: bytes | None, version: str, business_date: date, known: "KnownCases") -> None:
        self._model, self._version, self._business_date, self._known = model, version, business_date, known

    def __call__(self, rows: pa.RecordBatch) -> Iterable[pa.RecordBatch]:
        """Rows of `action_plans` for rows of open cases."""
        from pipeline.dataset.action_plan_rows import plan_rows

        yield plan_rows(rows, self._model, self._version, self._business_date, self._known)
