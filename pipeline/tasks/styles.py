"""Each customer's style over time, in the space of the article vectors."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from models.style_config import STYLE_ARCHITECTURES, architecture_name
from pipeline.evaluation.style_scorecard import SMALLER_IS_BETTER
from pipeline.settings import TrainingSettings
from pipeline.tables.styles import STYLES
from pipeline.task import Metrics, Objective, PredictionInput, Tables

if TYPE_CHECKING:
    from models.style import StyleModel
    from pipeline.dataset.style_rows import StylePredictor
    from pipeline.evaluation.style_tasks import StyleTaskExamples

# Imports that start TensorFlow or read Parquet lie in the methods: the command line and the gate need none of them.


class Styles:
    """The model of style, trained by the distributed loop on customers who taught no article vectors."""

    name = "styles"
    reads: tuple[str, ...] = ("baskets", "articles", "item_vectors", "views")
    writes = STYLES
    tables_beside_model: tuple[str, ...] = ()
    model_file = "model.keras"
    gate_metric = "auc"
    smaller_is_better: frozenset[str] = SMALLER_IS_BETTER
    example_array = "step_times"
    training_defaults: Mapping[str, Any] = MappingProxyType(
        {
            "architecture": "styles",
            # A step of so small a model is shorter than the exchange of its gradients.
            "workers": 1,
            "epochs": 100,
            "max_steps": 1000,
            "patience": 100,
            "batch_size": 32,
            "learning_rate": 2e-3,
            "checkpoint_steps": 250,
            "holdout_days": 14,
            "scorecard_customers": 2000,
        }
    )

    def architecture(self, settings: TrainingSettings) -> str:
        """A name in models/style_config.py."""
        return architecture_name(settings.architecture)

    def vocabulary_hash(self, tables: Tables) -> str:
        """None: a model's file names the article vectors that it was trained with."""
        return ""

    def examples(self, tables: Tables, business_date: date, settings: TrainingSettings) -> "StyleTaskExamples":
        """Orders against what was in store."""
        from pipeline.evaluation.style_tasks import StyleTaskExamples

        config = STYLE_ARCHITECTURES[self.architecture(settings)]
        return StyleTaskExamples.open(tables, business_date, settings, config)

    def build(
        self, examples: "StyleTaskExamples", settings: TrainingSettings, initial_model: Path | None
    ) -> "StyleModel":
        """A new model; on the initial model's weights where it was trained with the same article vectors."""
        from models.style import StyleModel

        version, seasons = examples.vectors_version, examples.seasons
        model = StyleModel(
            asdict(examples.config),
            examples.n_signals,
            examples.training.n_own,
            vectors=version,
            seasons=seasons,
            reads_views=examples.training.reads_views,
        )
        if initial_model is not None:
            before = self.load(initial_model)
            same = ("vectors", "seasons", "n_signals", "reads_views")
            if all(getattr(before, name) == getattr(model, name) for name in same):
                model.set_weights(before.get_weights())
        return model

    def fine_tuning(self, settings: TrainingSettings, worker: int) -> Objective | None:
        """Nothing follows."""
        return None

    def measure(self, model_path: Path, examples: "StyleTaskExamples", limit: int) -> Metrics:
        """How the intents rank what is in store, new articles and such as the customer never bought apart."""
        return examples.measure(self.load(model_path), limit)

    def measure_baselines(self, examples: "StyleTaskExamples", limit: int) -> dict[str, Metrics]:
        """The same of popularity in the last week, and of likeness by tags."""
        return examples.measure_baselines(limit)

    def problems(self, model_path: Path, tables: Tables) -> list[str]:
        """Another class, or weights that are not finite."""
        from pipeline.evaluation.stored_model import STYLE_CLASS, model_problems

        return model_problems(model_path, STYLE_CLASS)

    def load(self, model_path: Path) -> "StyleModel":
        """The model; no code of the file is run."""
        from models.saved_files import load_style_model

        return load_style_model(model_path)

    def predictor(self, given: PredictionInput) -> "StylePredictor":
        """Rows of customers with their purchases in; no `statistics`."""
        from pipeline.dataset.style_rows import style_predictor

        return style_predictor(given)

    def former_name(self, source_name: str) -> None:
        """None: the task is new."""
        return
