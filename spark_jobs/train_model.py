"""Train tonight's candidate model of a task, measure it, and register it; whether it becomes champion the gate decides.

The last `training.holdout_days` of history are held out. Training starts from the champion's weights where the
architecture is the same and the champion is not of a later business date, which would have seen tonight's held-out
days. The candidate, the champion and the task's baselines are then measured on the same held-out examples; the
scorecard goes into the run's folder and to MLflow with the model. The model is not refitted on the held-out days: the
weights that were measured are the weights that predict.

A run that registered its model already is done; one that was killed resumes from its latest checkpoint. A tracking
store that does not answer is no failure, for alerts need no new model: the record says so. Repeating the job registers.
"""

import sys
from typing import Any

from pyspark.sql import SparkSession

from pipeline.evaluation.scorecard import CANDIDATE, CHAMPION, Scorecard, Window
from pipeline.evaluation.serving import usable_champion
from pipeline.settings import Settings
from pipeline.stages import NOT_REGISTERED
from pipeline.task import ContinuedTask, FittedTask, KerasTask, Task
from pipeline.tasks.catalog import NEXT_BASKET, TASKS, task_and_settings
from pipeline.tracking.reachable import TrackingStoreError
from pipeline.tracking.registry import Champion, Registry, failing_plainly
from pipeline.tracking.runs import masked, register
from pipeline.training.history import Epoch, read_history, write_history
from pipeline.training.launcher import executor_resources, launch, threads_per_worker
from pipeline.training.spec import TrainingSpec
from pipeline.workspace import Run, Workspace
from spark_jobs.session import Job, arg_parser, open_job, open_session

TRAINING_FOLDER = "training"


def main(argv: list[str] | None = None) -> None:
    """Train, measure, register."""
    parser = arg_parser(__doc__)
    parser.add_argument("--task", default=NEXT_BASKET.name, choices=sorted(TASKS), help="the question to train for")
    arguments = parser.parse_args(argv)
    with open_job("train_model", arguments) as job:
        task, settings = task_and_settings(arguments.task, job.settings, job.source)
        registry = Registry(settings, job.source.name, task)
        try:
            with failing_plainly(settings):
                registered = registry.version_of_run(job.run.run_id)
                if registered is not None:
                    job.record.details = {"task": task.name, "version": registered, "already": "registered"}
                    return
                train(job, registry)
        except TrackingStoreError as error:
            job.record.details = {"task": task.name, NOT_REGISTERED: str(error)}
            print(f"{job.name}: no model was registered: {error}", file=sys.stderr)


def train(job: Job, registry: Registry) -> None:
    """Train, measure and register the candidate of one task; the job's record says what came out."""
    task, settings, workspace, run = registry.task, registry.settings, job.workspace, job.run
    spark = open_session(job.name, settings, executor_resources(settings.training))
    versions = {name: workspace.lake.resolve(name, run.run_id) for name in task.reads}
    job.record.rows_in = workspace.lake.manifest(task.reads[0], versions[task.reads[0]]).rows
    found = usable_champion(registry, workspace.task_folder(run.run_id, task.name))
    incumbent = found.champion
    spec = specify(spark, workspace, run, task=task, settings=settings, versions=versions, incumbent=incumbent)
    history = fit(spark, task, spec)
    scorecard = measure(
        spec, run, task=task, settings=settings, source_name=job.source.name, versions=versions, incumbent=incumbent
    )
    scorecard.write(workspace.task_folder(run.run_id, task.name))
    number = log(spec, registry, scorecard, history)
    spec.clean()
    metric = settings.promotion.metric or task.gate_metric
    job.record.rows_out = scorecard.customers
    job.record.details = {
        "task": task.name,
        "version": number,
        "epochs": len(history),
        "steps": int(sum(epoch.get("steps", 0) for epoch in history)),
        "started_from": incumbent.version if incumbent and spec.initial_model else "random weights",
        metric: {name: round(values[metric], 4) for name, values in scorecard.models.items() if metric in values},
        **found.details,
    }


def specify(
    spark: SparkSession,
    workspace: Workspace,
    run: Run,
    *,
    task: Task,
    settings: Settings,
    versions: dict[str, str],
    incumbent: Champion | None,
) -> TrainingSpec:
    """What determines tonight's weights."""
    suits = (
        incumbent is not None
        and incumbent.architecture == task.architecture(settings.training)
        and incumbent.business_date <= run.business_date
        and not incumbent.must_retrain
        and (not isinstance(task, ContinuedTask) or task.continues(incumbent.model_path, settings.training))
    )
    return TrainingSpec(
        folder=workspace.task_folder(run.run_id, task.name) / TRAINING_FOLDER,
        task=task.name,
        tables={name: workspace.lake.path(name, version) for name, version in versions.items()},
        business_date=run.business_date,
        settings=settings.training,
        initial_model=incumbent.model_path if incumbent is not None and suits else None,
        model_file=task.model_file,
        threads=threads_per_worker(spark, settings.training.workers),
    )


def fit(spark: SparkSession, task: Task, spec: TrainingSpec) -> list[Epoch]:
    """Train the candidate, by the distributed loop or in this process, as its task is; returns the history."""
    if isinstance(task, KerasTask):
        launch(spark, task, spec, timeout_minutes=spec.settings.worker_timeout_minutes)
        return read_history(spec.history_path)
    if not isinstance(task, FittedTask):
        raise TypeError(f"task {task.name} is neither a KerasTask nor a FittedTask of pipeline/task.py")
    spec.write()
    if not spec.model_path.is_file():
        examples = task.examples(spec.tables, spec.business_date, spec.settings)
        history = task.fit(examples, spec.settings, spec.initial_model, spec.best_path)
        write_history(spec.history_path, history)
        spec.best_path.replace(spec.model_path)
    return read_history(spec.history_path)


def measure(
    spec: TrainingSpec,
    run: Run,
    *,
    task: Task,
    settings: Settings,
    source_name: str,
    versions: dict[str, str],
    incumbent: Champion | None,
) -> Scorecard:
    """Candidate, champion and baselines on the held-out window."""
    examples = task.examples(spec.tables, spec.business_date, spec.settings)
    limit = settings.training.scorecard_customers
    models = {CANDIDATE: task.measure(spec.model_path, examples, limit)}
    if incumbent is not None:
        models[CHAMPION] = task.measure(incumbent.model_path, examples, limit)
    return Scorecard(
        source=source_name,
        task=task.name,
        business_date=run.business_date,
        run_id=run.run_id,
        window=Window.before(run.business_date, settings.training.holdout_days),
        customers=min(examples.n_held_out, limit),
        champion_version=incumbent.version if incumbent is not None else None,
        vocabulary_hash=task.vocabulary_hash(spec.tables),
        data_versions=versions,
        models=models | task.measure_baselines(examples, limit),
    )


def log(spec: TrainingSpec, registry: Registry, scorecard: Scorecard, history: list[Epoch]) -> str:
    """Register the candidate in MLflow with all that led to it; returns the version number."""
    tags = {
        "task": registry.task.name,
        "run_id": scorecard.run_id,
        "business_date": scorecard.business_date.isoformat(),
        "architecture": registry.task.architecture(spec.settings),
        "vocabulary_hash": scorecard.vocabulary_hash,
        "started_from": scorecard.champion_version or "" if spec.initial_model else "",
    }
    parameters: dict[str, Any] = {
        "training": masked(registry.settings)["training"],
        "data": scorecard.data_versions,
        "held_out": {"first_day": scorecard.window.first_day, "last_day": scorecard.window.last_day},
    }
    return register(
        registry,
        model_path=spec.model_path,
        tags=tags,
        parameters=parameters | tags,
        epochs=history,
        scores=scorecard.models,
        tables={name: spec.tables[name] for name in registry.task.tables_beside_model},
        scorecard=scorecard.model_dump(mode="json"),
    )


if __name__ == "__main__":
    main()
