"""What each customer takes next, and in how many days."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from models.next_offer_config import OFFER_ARCHITECTURES, architecture_name
from pipeline.settings import TrainingSettings
from pipeline.tables.next_offers import NEXT_OFFERS
from pipeline.task import Metrics, Objective, PredictionInput, Tables

if TYPE_CHECKING:
    from models.next_offer import NextOfferModel
    from pipeline.dataset.next_offers import NextOfferExamples
    from pipeline.dataset.offer_rows import NextOfferPredictor

# Imports that start TensorFlow or read Parquet lie in the methods: the command line and the gate need none of them.


class NextOffers:
    """The next-offer model, trained by the distributed loop on what customers took, as `[offers]` says."""

    name = "next_offers"
    reads: tuple[str, ...] = ("baskets", "products")
    writes = NEXT_OFFERS
    tables_beside_model: tuple[str, ...] = ()
    model_file = "model.keras"
    gate_metric = "mrr"
    smaller_is_better: frozenset[str] = frozenset()
    example_array = "target_offers"
    training_defaults: Mapping[str, Any] = MappingProxyType({})

    def architecture(self, settings: TrainingSettings) -> str:
        """A name in models/next_offer_config.py."""
        return architecture_name(settings.architecture)

    def vocabulary_hash(self, tables: Tables) -> str:
        """None: the model's file holds the names of its offers."""
        return ""

    def examples(self, tables: Tables, business_date: date, settings: TrainingSettings) -> "NextOfferExamples":
        """The events up to one of them, and the next."""
        from pipeline.dataset.next_offers import NextOfferExamples

        return NextOfferExamples.open(tables, business_date, settings)

    def measure(self, model_path: Path, examples: "NextOfferExamples", limit: int) -> Metrics:
        """Accuracies of offer, bucket and both."""
        from pipeline.dataset.next_offers import measure

        return measure(self.load(model_path), examples, limit)

    def measure_baselines(self, examples: "NextOfferExamples", limit: int) -> dict[str, Metrics]:
        """The same of frequencies."""
        from pipeline.dataset.next_offers import measure_baselines

        return measure_baselines(examples, limit)

    def problems(self, model_path: Path, tables: Tables) -> list[str]:
        """Another class, or weights that are not finite."""
        from pipeline.evaluation.stored_model import NEXT_OFFER_CLASS, model_problems

        return model_problems(model_path, NEXT_OFFER_CLASS)

    def load(self, model_path: Path) -> "NextOfferModel":
        """The model; no code of the file is run."""
        from models.saved_files import load_next_offer_model

        return load_next_offer_model(model_path)

    def predictor(self, given: PredictionInput) -> "NextOfferPredictor":
        """Rows of customers with their lines in; no `statistics`."""
        from pipeline.dataset.offer_rows import next_offer_predictor

        return next_offer_predictor(given)

    def former_name(self, source_name: str) -> None:
        """None: the task is new."""
        return

    def build(
        self, examples: "NextOfferExamples", settings: TrainingSettings, initial_model: Path | None
    ) -> "NextOfferModel":
        """A new model, or the initial model's weights for the offers of tonight."""
        from dataclasses import asdict

        from models.next_offer import NextOfferModel

        config = asdict(OFFER_ARCHITECTURES[self.architecture(settings)]) | {"seed": settings.seed}
        model = NextOfferModel(config, examples.names, examples.edges, settings.offers.owned_again)
        if initial_model is not None:
            model.warm_start_from(self.load(initial_model))
        return model

    def fine_tuning(self, settings: TrainingSettings, worker: int) -> Objective | None:
        """Nothing follows."""
        return None
