"""The next basket of every customer: what is in it, how much of each, and when."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pipeline.settings import TrainingSettings
from pipeline.tables.predictions import PREDICTIONS
from pipeline.task import Metrics, Objective, PredictionInput, Tables

if TYPE_CHECKING:
    import keras

    from models.heads.pointer import PointerHead
    from models.heads.time_to_next import HazardHead
    from models.lens import Lens
    from pipeline.dataset.examples import LensTrainingData, NextBasketExamples
    from pipeline.dataset.prediction_rows import NextBasketPredictor

# Imports that start TensorFlow or read Parquet lie in the methods: the command line and the gate need none of them.


class NextBasket:
    """LENS, trained by the distributed loop on customers' sequences."""

    name = "next_basket"
    reads: tuple[str, ...] = ("sequences", "vocabulary")
    writes = PREDICTIONS
    tables_beside_model: tuple[str, ...] = ("vocabulary",)
    model_file = "model.keras"
    gate_metric = "recall@10"
    smaller_is_better = frozenset({"gap_mae_days", "days_brier"})
    example_array = "customer_ids"
    # Few customers are seen several times, many once: docs/decisions/2026-11-29__passes_by_size.md.
    training_defaults: Mapping[str, Any] = MappingProxyType({"repeat_until_step": 75})

    def architecture(self, settings: TrainingSettings) -> str:
        """A name in models/catalog.py."""
        return settings.architecture

    def vocabulary_hash(self, tables: Tables) -> str:
        """That of the vocabulary table."""
        from pipeline.evaluation.stored_model import vocabulary_hash

        return vocabulary_hash(tables["vocabulary"])

    def examples(self, tables: Tables, business_date: date, settings: TrainingSettings) -> "NextBasketExamples":
        """A past and the basket after it."""
        from pipeline.dataset.examples import NextBasketExamples

        return NextBasketExamples.open(tables["sequences"], tables["vocabulary"], business_date, settings)

    def measure(self, model_path: Path, examples: "NextBasketExamples", limit: int) -> Metrics:
        """Ranking metrics and the scores of the predicted days."""
        from pipeline.evaluation.holdout import measure_model

        return measure_model(self.load(model_path), examples, limit)

    def measure_baselines(self, examples: "NextBasketExamples", limit: int) -> dict[str, Metrics]:
        """Ranking metrics of frequency lists, and scores of days of a survival function that all share."""
        from pipeline.evaluation.holdout import measure_baselines

        return measure_baselines(examples, limit)

    def problems(self, model_path: Path, tables: Tables) -> list[str]:
        """Another class, weights that are not finite, a vocabulary that is not the one of the keys in the file."""
        from pipeline.evaluation.stored_model import lens_problems

        return lens_problems(model_path, tables["vocabulary"])

    def load(self, model_path: Path) -> "Lens":
        """The model; no code of the file is run."""
        from models.saved_files import load_model

        return load_model(model_path)

    def predictor(self, given: PredictionInput) -> "NextBasketPredictor":
        """Rows of `sequences` with `has_sequence` in; `statistics` are frequencies by kind of funnel."""
        from pipeline.dataset.prediction_rows import next_basket_predictor

        return next_basket_predictor(given)

    def former_name(self, source_name: str) -> str:
        """`larder-<source>`: the only task there was."""
        return f"larder-{source_name}"

    def continues(self, model_path: Path, settings: TrainingSettings) -> bool:
        """Whether it was built from the same parts; the seed may differ."""
        from models.catalog import ARCHITECTURES
        from pipeline.evaluation.stored_model import lens_config

        return replace(lens_config(model_path), seed=0) == replace(ARCHITECTURES[settings.architecture], seed=0)

    def build(self, examples: "LensTrainingData", settings: TrainingSettings, initial_model: Path | None) -> "Lens":
        """A new model, or the initial model's weights in tonight's vocabulary."""
        from models.catalog import build
        from models.product_vectors import co_occurrence_vectors

        model = build(
            settings.architecture,
            product_keys=examples.product_keys,
            customer_keys=examples.customer_keys,
            product_counts=examples.product_counts,
            seed=settings.seed,
        )
        if initial_model is not None:
            model.warm_start_from(self.load(initial_model))
        else:
            model.adapt(examples.batch(0, settings.batch_size))
            if model.config.product_start == "co_occurrence":
                vectors = co_occurrence_vectors(examples.known(), model.config.product_units, settings.seed)
                model.backbone.products.start_from_vectors(vectors)
        pointer, _ = self._prepared_heads(model, settings)
        if pointer is not None and pointer.trees is not None:
            pointer.trainable = False  # trained further it would no longer be a mean of two that were learned alone
        return model

    def prepared_parts(self, model: "Lens", settings: TrainingSettings) -> "list[keras.layers.Layer]":
        """The pointer head, and the hazard head that reads the rhythm, where the architecture has them."""
        return [head for head in self._prepared_heads(model, settings) if head is not None]

    def prepare(self, model: "Lens", examples: "LensTrainingData", settings: TrainingSettings) -> None:
        """Train each of them alone."""
        from pipeline.training.preparation import prepare

        for head, steps in prepare(*self._prepared_heads(model, settings), examples, settings).items():
            print(f"{head} head: {steps} steps alone", flush=True)

    def _prepared_heads(
        self, model: "Lens", settings: TrainingSettings
    ) -> "tuple[PointerHead | None, HazardHead | None]":
        next_symbol, time = model.basket.next_symbol, model.time_to_next
        return (
            next_symbol.pointer_head if next_symbol.copies and settings.pointer_steps > 0 else None,
            time if model.config.rhythm_units > 0 and settings.rhythm_steps > 0 else None,
        )

    def fine_tuning(self, settings: TrainingSettings, worker: int) -> Objective | None:
        """Policy gradient, where `training.finetune` says so."""
        if settings.finetune == "none":
            return None
        from pipeline.training.policy_gradient import PolicyGradient

        return PolicyGradient(settings, worker)
