"""A vector per article from image, tags and numbers, near each other what the same customers buy."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from models.item_vector_config import ItemVectorConfig
from pipeline.evaluation.style_scorecard import SMALLER_IS_BETTER
from pipeline.settings import TrainingSettings
from pipeline.tables.item_vectors import ITEM_VECTORS
from pipeline.task import Metrics, Objective, PredictionInput, Tables

if TYPE_CHECKING:
    from models.item_vectors import ItemVectorModel
    from pipeline.dataset.item_vector_rows import ItemVectorPredictor
    from pipeline.evaluation.style_tasks import ItemVectorExamples

# Imports that start TensorFlow or read Parquet lie in the methods: the command line and the gate need none of them.


class ItemVectors:
    """The model of article vectors, trained by the distributed loop on who bought what.

    Every night from nothing: tags, articles and frequent customers are those of the night.
    """

    name = "item_vectors"
    reads: tuple[str, ...] = ("baskets", "articles", "article_images")
    writes = ITEM_VECTORS
    tables_beside_model: tuple[str, ...] = ()
    model_file = "model.keras"
    gate_metric = "auc"
    smaller_is_better: frozenset[str] = SMALLER_IS_BETTER
    example_array = "numbers"
    training_defaults: Mapping[str, Any] = MappingProxyType(
        {
            "architecture": "item_vectors",
            # A step of so small a model is shorter than the exchange of its gradients.
            "workers": 1,
            "epochs": 100,
            "max_steps": 1000,
            "patience": 100,
            "batch_size": 128,
            "learning_rate": 3e-3,
            "checkpoint_steps": 250,
            "holdout_days": 14,
            "scorecard_customers": 2000,
        }
    )

    def architecture(self, settings: TrainingSettings) -> str:
        """There is one."""
        return "item_vectors"

    def vocabulary_hash(self, tables: Tables) -> str:
        """None: tags and articles are in the model's file, by name."""
        return ""

    def examples(self, tables: Tables, business_date: date, settings: TrainingSettings) -> "ItemVectorExamples":
        """Articles that were sold, against frequent customers."""
        from pipeline.evaluation.style_tasks import ItemVectorExamples

        return ItemVectorExamples.open(tables, business_date, settings)

    def build(
        self, examples: "ItemVectorExamples", settings: TrainingSettings, initial_model: Path | None
    ) -> "ItemVectorModel":
        """A new model."""
        from models.item_vectors import ItemVectorModel

        config, training = asdict(ItemVectorConfig(seed=settings.seed)), examples.training
        return ItemVectorModel(config, **training.sizes, reader=training.reader.to_config())

    def fine_tuning(self, settings: TrainingSettings, worker: int) -> Objective | None:
        """Nothing follows."""
        return None

    def measure(self, model_path: Path, examples: "ItemVectorExamples", limit: int) -> Metrics:
        """How likeness to what was bought ranks what is in store, new articles apart."""
        return examples.measure(self.load(model_path), limit)

    def measure_baselines(self, examples: "ItemVectorExamples", limit: int) -> dict[str, Metrics]:
        """The same of likeness by tags."""
        return examples.measure_baselines(limit)

    def problems(self, model_path: Path, tables: Tables) -> list[str]:
        """Another class, or weights that are not finite."""
        from pipeline.evaluation.stored_model import ITEM_VECTOR_CLASS, model_problems

        return model_problems(model_path, ITEM_VECTOR_CLASS)

    def load(self, model_path: Path) -> "ItemVectorModel":
        """The model; no code of the file is run."""
        from models.saved_files import load_item_vector_model

        return load_item_vector_model(model_path)

    def predictor(self, given: PredictionInput) -> "ItemVectorPredictor":
        """Rows of articles with their images in; no `statistics`."""
        from pipeline.dataset.item_vector_rows import item_vector_predictor

        return item_vector_predictor(given)

    def former_name(self, source_name: str) -> None:
        """None: the task is new."""
        return
