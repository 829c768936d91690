"""The contract of a task: what one question to the lake differs in from another.

Training, checkpoints, the held-out window, scorecard, gate, registry and prediction in Spark exist once and know a task
only by this. A task trains in one of two ways: `KerasTask` by the distributed loop, `FittedTask` by a function of its
own (a closed form, boosted trees). Everything after the training is the same for both.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

from pipeline.settings import Settings, TrainingSettings
from pipeline.tables.contract import Table

if TYPE_CHECKING:
    import keras
    import numpy as np
    import pyarrow as pa

# Slow to import, and the command line imports this.
Batch: TypeAlias = "dict[str, np.ndarray]"
Metrics = dict[str, float]
Tables = Mapping[str, Path]
"""Folder of Parquet files of each table, by the table's name."""


class TrainingData(Protocol):
    """What the training loop reads. A batch is a pure function of its step."""

    def steps_per_epoch(self, batch_size: int) -> int:
        """Batches of an epoch."""

    def batch(self, step: int, batch_size: int, worker: int = 0, workers: int = 1) -> Batch:
        """One worker's slice of the batch of a step, counted from 0 over all epochs."""

    def validation(self, batch_size: int, worker: int = 0, workers: int = 1) -> Iterator[Batch]:
        """One worker's part of the validation examples in a fixed order; it may be empty."""


class Examples(Protocol):
    """Examples of a task as of one business date, the last `holdout_days` before it held out."""

    @property
    def n_held_out(self) -> int:
        """Held-out examples, on which candidate, champion and baselines are measured."""


class Predictor(Protocol):
    """Predicts in Spark's executors; it is sent to them once, so it must be small and picklable by Spark."""

    def __call__(self, rows: "pa.RecordBatch") -> "Iterable[pa.RecordBatch]":
        """Rows of the task's table for some input rows, in any order."""


@dataclass(frozen=True)
class ServedModel:
    """The model that predicts, as local files.

    Args:
        version: registered name and number, `larder-shop-next_basket/3`.
        architecture: as its task named it when it was trained.
        model_path: the file that the task wrote.
        tables: copies of the tables that travel with the model (`Task.tables_beside_model`).
    """

    version: str
    architecture: str
    model_path: Path
    tables: Tables


@dataclass(frozen=True)
class PredictionInput:
    """What a predictor is made from.

    Args:
        settings: of the task.
        tables: folders of the table versions that the job read.
        model: the champion; None before the first, or where it may not be used.
        statistics: what the task's job measured in Spark, small; None where it measures nothing.
    """

    business_date: date
    settings: Settings
    tables: Tables
    model: ServedModel | None
    statistics: Any = None


class Task(Protocol):
    """One question. A task holds no state: everything is in its arguments."""

    name: str
    """Lower case with underscores; names settings, run folders and the registered model."""
    reads: tuple[str, ...]
    """Tables that training reads; the first one's rows are what a run counts."""
    writes: Table
    """Contract of the table that holds its predictions."""
    tables_beside_model: tuple[str, ...]
    """Of `reads`, those whose files are kept with each registered model."""
    model_file: str
    """Name of the model's file, never a pickle; `.keras` files are logged by MLflow's Keras flavour."""
    gate_metric: str
    """Scorecard metric that the gate compares unless `promotion.metric` names another."""
    smaller_is_better: frozenset[str]
    """Scorecard metrics of which smaller values are better; of all others larger ones are."""

    training_defaults: Mapping[str, Any]
    """What of [training] is otherwise than for all tasks unless `[tasks.<name>.training]` says so."""

    def architecture(self, settings: TrainingSettings) -> str:
        """Names the model's shape; training continues only from a champion of the same."""

    def vocabulary_hash(self, tables: Tables) -> str:
        """Identifies what a model's indices refer to; a candidate of another one is refused. "" without indices.

        Args: tables: at least `tables_beside_model`.
        """

    def examples(self, tables: Tables, business_date: date, settings: TrainingSettings) -> Any:
        """Cut the examples: an `Examples`, and for a `KerasTask` a `TrainingData`, too.

        Raises: ValueError: if there is nothing to train on; the message says what to change.
        """

    def measure(self, model_path: Path, examples: Any, limit: int) -> Metrics:
        """Scorecard metrics of a model over the first `limit` held-out examples."""

    def measure_baselines(self, examples: Any, limit: int) -> dict[str, Metrics]:
        """The same metrics of what a user would pick instead of a model, by name; at least one."""

    def problems(self, model_path: Path, tables: Tables) -> list[str]:
        """Why a stored model must not be used: not finite, another class, other names than its keys; else empty.

        Runs no code of the file. Args: tables: the copies beside the model.
        """

    def load(self, model_path: Path) -> Any:
        """The model in memory, a `keras.Model` where the file is a `.keras` file. Raises where it cannot be loaded."""

    def predictor(self, given: PredictionInput) -> Predictor:
        """The function that predicts in the executors."""

    def former_name(self, source_name: str) -> str | None:
        """Registered name of this task's models before names held the task; None where there were none."""


@runtime_checkable
class FittedTask(Task, Protocol):
    """A task whose model is fitted in one call, in the process that asks for it."""

    def fit(
        self, examples: Any, settings: TrainingSettings, initial_model: Path | None, model_path: Path
    ) -> list[Metrics]:
        """Fit and write the model, the same bytes for the same arguments; returns metrics per round, for the record."""


class Objective(Protocol):
    """What a training makes small, and by which variables."""

    def variables(self, model: "keras.Model") -> list[Any]:
        """The variables that are trained."""

    def losses(self, model: "keras.Model", batch: Mapping[str, Any], step: Any, training: bool) -> dict[str, Any]:
        """Mean losses over the batch's examples; `total` is made small, the others are reported.

        Args: step: the optimizer's step, int64; a random draw must follow from it for a resumed run to repeat it.
        """


@runtime_checkable
class KerasTask(Task, Protocol):
    """A task whose Keras model the distributed loop trains; `model.losses(batch, training)` gives its losses.

    A model may also have `validation_metrics(batch)`, means over the batch that the history keeps beside its losses.
    """

    example_array: str
    """An array of each batch with one row per example."""

    def build(self, examples: Any, settings: TrainingSettings, initial_model: Path | None) -> "keras.Model":
        """A new model: on the initial model's weights where there is one, else initialised from the examples."""

    def fine_tuning(self, settings: TrainingSettings, worker: int) -> Objective | None:
        """What follows the supervised training, or None where nothing does."""


@runtime_checkable
class ContinuedTask(KerasTask, Protocol):
    """A task whose architectures may be built from other parts in another version of Larder."""

    def continues(self, model_path: Path, settings: TrainingSettings) -> bool:
        """Whether a model built today can start from the weights of that one, which has the same name."""


@runtime_checkable
class PreparedTask(KerasTask, Protocol):
    """A task that trains parts of its network before the whole."""

    def prepared_parts(self, model: "keras.Model", settings: TrainingSettings) -> "list[keras.layers.Layer]":
        """The parts of the untrained model, none where there is nothing to do; the same on every worker."""

    def prepare(self, model: "keras.Model", examples: Any, settings: TrainingSettings) -> None:
        """Train the parts, on one worker; the others take their weights."""


@runtime_checkable
class FinishedTask(KerasTask, Protocol):
    """A task that has something to decide when its network is trained."""

    def finish(self, model_path: Path, examples: Any, settings: TrainingSettings) -> None:
        """Rewrite the trained model's file, whole or not at all; done again after a kill, it ends the same."""
