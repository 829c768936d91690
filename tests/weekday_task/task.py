"""Two toy tasks of one question, units by weekday: one in closed form, one by the distributed Keras loop.

They are registered by tests alone, and show that the contract of a task suffices.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

import keras
import numpy as np
import pyarrow as pa
from keras import ops

from pipeline.settings import TrainingSettings
from pipeline.task import Metrics, Objective, PredictionInput, Tables
from tests.weekday_task.examples import WEEKDAYS, WeekdayExamples
from tests.weekday_task.table import WEEKDAY_UNITS

ERROR = "mae_units"


class _WeekdayTask:
    """What both have in common."""

    reads: tuple[str, ...] = ("baskets",)
    writes = WEEKDAY_UNITS
    tables_beside_model: tuple[str, ...] = ()
    gate_metric = ERROR
    smaller_is_better = frozenset({ERROR})
    training_defaults: Mapping[str, Any] = MappingProxyType({})

    def vocabulary_hash(self, tables: Tables) -> str:
        return ""

    def examples(self, tables: Tables, business_date: date, settings: TrainingSettings) -> WeekdayExamples:
        return WeekdayExamples(tables["baskets"], business_date, settings.holdout_days, settings.seed)

    def measure(self, model_path: Path, examples: WeekdayExamples, limit: int) -> Metrics:
        expected = self.expected(model_path)
        by_product = [expected.get(name, np.zeros(WEEKDAYS)) for name in examples.product_ids]
        return {ERROR: examples.error(np.stack(by_product, axis=1), limit)}

    def measure_baselines(self, examples: WeekdayExamples, limit: int) -> dict[str, Metrics]:
        flat = np.repeat(examples.means().mean(axis=0)[None], WEEKDAYS, axis=0)
        return {"flat": {ERROR: examples.error(flat, limit)}, "nothing": {ERROR: examples.error(0 * flat, limit)}}

    def load(self, model_path: Path) -> Any:
        raise NotImplementedError

    def expected(self, model_path: Path) -> dict[str, np.ndarray]:
        """Expected units by weekday of each product."""
        found: dict[str, np.ndarray] = self.load(model_path)
        return found

    def predictor(self, given: PredictionInput) -> "WeekdayPredictor":
        model = given.model
        version = model.version if model else "flat"
        flat: dict[str, float] = given.statistics
        expected = self.expected(model.model_path) if model else {name: np.full(7, mean) for name, mean in flat.items()}
        return WeekdayPredictor(expected, version, given.business_date)

    def former_name(self, source_name: str) -> str | None:
        return None


@dataclass(frozen=True)
class WeekdayPredictor:
    """Seven rows for each product."""

    expected: dict[str, np.ndarray]
    version: str
    business_date: date

    def __call__(self, rows: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        names = [name for name in rows["product_id"].to_pylist() if name in self.expected]
        n = len(names) * WEEKDAYS
        units = np.concatenate([self.expected[name] for name in names] or [np.zeros(0)])
        yield pa.RecordBatch.from_pydict(
            {
                "product_id": pa.array(np.repeat(np.array(names, object), WEEKDAYS), pa.string()),
                "day_of_week": pa.array(np.tile(np.arange(1, WEEKDAYS + 1), len(names)), pa.int32()),
                "expected_units": pa.array(units, pa.float64()),
                "model_version": pa.array([self.version] * n, pa.string()),
                "business_date": pa.array([self.business_date] * n, pa.date32()),
            }
        )


class WeekdayMeans(_WeekdayTask):
    """In closed form; the model is JSON."""

    name = "weekday_means"
    model_file = "means.json"

    def architecture(self, settings: TrainingSettings) -> str:
        return "means"

    def fit(
        self, examples: WeekdayExamples, settings: TrainingSettings, initial_model: Path | None, model_path: Path
    ) -> list[Metrics]:
        means = dict(zip(examples.product_ids.tolist(), examples.means().T.tolist(), strict=True))
        model_path.write_text(json.dumps(means))
        return [{"products": float(len(means))}]

    def load(self, model_path: Path) -> dict[str, np.ndarray]:
        return {name: np.array(units) for name, units in json.loads(model_path.read_text()).items()}

    def problems(self, model_path: Path, tables: Tables) -> list[str]:
        try:
            finite = all(np.isfinite(units).all() for units in self.load(model_path).values())
        except (OSError, ValueError, TypeError, AttributeError) as error:
            return [f"the file cannot be read: {error}"]
        return [] if finite else ["weights are not finite"]


@keras.saving.register_keras_serializable("larder_tests")
class WeekdayTable(keras.Model):
    """One weight per product and weekday."""

    def __init__(self, product_ids: list[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.product_ids = product_ids
        self.units = self.add_weight(shape=(len(product_ids) * WEEKDAYS,), initializer="zeros", name="units")
        self.built = True

    def losses(self, batch: Mapping[str, Any], training: bool = False) -> dict[str, Any]:  # type: ignore[override]
        cell = batch["product"] * WEEKDAYS + batch["weekday"]
        squared = ops.mean(ops.square(ops.take(self.units, cell) - batch["units"]))
        return {"total": squared, "squared": squared}

    def get_config(self) -> dict[str, Any]:
        return {"product_ids": self.product_ids}


class WeekdayWeights(_WeekdayTask):
    """The same by gradient descent in the distributed loop."""

    name = "weekday_weights"
    model_file = "model.keras"
    example_array = "product"

    def architecture(self, settings: TrainingSettings) -> str:
        return "weights"

    def build(self, examples: WeekdayExamples, settings: TrainingSettings, initial_model: Path | None) -> WeekdayTable:
        model = WeekdayTable(examples.product_ids.tolist())
        if initial_model is not None:
            before = self.expected(initial_model)
            rows = [before.get(name, np.zeros(WEEKDAYS)) for name in model.product_ids]
            model.units.assign(np.concatenate(rows))
        return model

    def fine_tuning(self, settings: TrainingSettings, worker: int) -> Objective | None:
        return None

    def load(self, model_path: Path) -> WeekdayTable:
        model: WeekdayTable = keras.saving.load_model(model_path, compile=False)
        return model

    def expected(self, model_path: Path) -> dict[str, np.ndarray]:
        model = self.load(model_path)
        units = np.maximum(ops.convert_to_numpy(model.units), 0.0).reshape(-1, WEEKDAYS)
        return dict(zip(model.product_ids, units.astype(np.float64), strict=True))

    def problems(self, model_path: Path, tables: Tables) -> list[str]:
        from pipeline.evaluation.stored_model import non_finite_weights

        bad = non_finite_weights(model_path)
        return [f"weights are not finite: {bad[0]}"] if bad else []
