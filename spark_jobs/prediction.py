"""Prediction in Spark, the same for every task: the champion is checked, sent to the executors, and run there.

A task's job is a thin script that reads its tables, says which rows are predicted, and calls `stage_predictions`.
"""

import gc
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from pipeline.evaluation.serving import usable_champion
from pipeline.task import PredictionInput, Predictor, ServedModel, Task
from pipeline.tracking.registry import Registry
from spark_jobs.session import Job, stage_table


def stage_predictions(
    spark: SparkSession,
    job: Job,
    registry: Registry,
    rows: DataFrame,
    inputs: dict[str, str],
    *,
    statistics: Any = None,
) -> DataFrame:
    """Predict `rows` by the task's champion and stage its table, for the gate that publishes it.

    Args:    inputs: the version that was read of each table; statistics: see `PredictionInput`.
    Returns: what was staged; the job's record holds its number of rows and which model predicted.
    """
    given, details = prediction_input(job, registry, inputs, statistics)
    job.record.details |= details
    predicted = predict(rows, registry.task, registry.task.predictor(given))
    return stage_predicted(job, registry.task, predicted, given.model, inputs)


def stage_predicted(
    job: Job, task: Task, predicted: DataFrame, model: ServedModel | None, inputs: dict[str, str]
) -> DataFrame:
    """The same of rows that `predict` has from that model."""
    versions = inputs | ({"model": model.version} if model else {})
    folder, job.record.rows_out = stage_table(predicted, job.workspace, task.writes.name, job.run, versions)
    job.record.details["model"] = model.version if model else "none: fallback"
    return predicted.sparkSession.read.schema(task.writes.ddl).parquet(str(folder))


def prediction_input(
    job: Job, registry: Registry, inputs: dict[str, str], statistics: Any = None
) -> tuple[PredictionInput, dict[str, Any]]:
    """What a predictor is made from, and what the record says of the champion, which is checked whole."""
    task, run, lake = registry.task, job.run, job.workspace.lake
    found = usable_champion(registry, job.workspace.task_folder(run.run_id, task.name))
    given = PredictionInput(
        business_date=run.business_date,
        settings=registry.settings,
        tables={name: lake.path(name, version) for name, version in inputs.items()},
        model=found.champion.served(task) if found.champion else None,
        statistics=statistics,
    )
    return given, found.details


def predict(rows: DataFrame, task: Task, predictor: Predictor) -> DataFrame:
    """Rows of the task's table for the input rows."""
    return in_executors(rows, predictor, task.writes.ddl)


def in_executors(rows: DataFrame, predictor: Predictor, ddl: str) -> DataFrame:
    """What the predictor returns for the rows, in columns `ddl`; it travels to each executor once."""
    # Spread evenly: a table of one small file would otherwise be one Spark task.
    parts = 2 * rows.sparkSession.sparkContext.defaultParallelism
    return in_partitions(rows.repartition(parts), predictor, ddl)


def in_partitions(rows: DataFrame, predictor: Predictor, ddl: str) -> DataFrame:
    """The same, each partition of the rows by one executor."""
    sent = rows.sparkSession.sparkContext.broadcast(predictor)
    return rows.mapInArrow(_in_executor(sent), ddl)


def _in_executor(sent: Any) -> Callable[[Iterable[pa.RecordBatch]], Iterable[pa.RecordBatch]]:
    def predict_parts(parts: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for part in parts:
            if part.num_rows > 0:
                yield from sent.value(part)
        _keep_libraries()

    return predict_parts


@cache
def _keep_libraries() -> None:
    """Spare this worker the walk through TensorFlow, which the first task has imported, after every further one."""
    gc.collect()
    gc.freeze()
