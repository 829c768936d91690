"""Train tonight's candidate model, measure it, and register it; whether it becomes champion is the gate's to decide.

The last `training.holdout_days` of history are held out. Training starts from the champion's weights where the
architecture is the same and the champion is not of a later business date, which would have seen tonight's held-out
days. The candidate, the champion and the frequency baselines are then measured on the same held-out customers; the
scorecard goes into the run's folder and to MLflow with the model. The model is not refitted on the held-out days: the
weights that were measured are the weights that predict.

A run that registered its model already is done; one that was killed resumes from its latest checkpoint.
"""

from typing import Any

from pyspark.sql import SparkSession

from pipeline.evaluation.scorecard import CANDIDATE, CHAMPION, Scorecard, Window
from pipeline.evaluation.stored_model import load_model, vocabulary_hash
from pipeline.settings import Settings
from pipeline.tracking.registry import Champion, champion, version_of_run
from pipeline.tracking.runs import masked, register
from pipeline.training.history import Epoch, read_history
from pipeline.training.launcher import executor_resources, launch, threads_per_worker
from pipeline.training.spec import TrainingSpec
from pipeline.workspace import Run, Workspace
from spark_jobs.session import arg_parser, open_job, open_session

TRAINING_FOLDER = "training"


def main(argv: list[str] | None = None) -> None:
    """Train, measure, register."""
    with open_job("train_model", arg_parser(__doc__).parse_args(argv)) as job:
        run, settings, workspace, record = job.run, job.settings, job.workspace, job.record
        source_name = job.source.name
        registered = version_of_run(settings, source_name, run.run_id)
        if registered is not None:
            record.details = {"version": registered, "already": "registered"}
            return
        spark = open_session(job.name, settings, executor_resources(settings.training))
        versions = {name: workspace.lake.resolve(name, run.run_id) for name in ("sequences", "vocabulary")}
        record.rows_in = workspace.lake.manifest("sequences", versions["sequences"]).rows
        incumbent = champion(settings, source_name)
        spec = specify(spark, workspace, run, settings=settings, versions=versions, incumbent=incumbent)
        launch(spark, spec, timeout_minutes=settings.training.worker_timeout_minutes)
        history = read_history(spec.history_path)
        scorecard = measure(
            spec, run, settings=settings, source_name=source_name, versions=versions, incumbent=incumbent
        )
        scorecard.write(workspace.run_folder(run.run_id))
        number = log(spec, settings, source_name, scorecard, history)
        spec.clean()
        record.rows_out = scorecard.customers
        record.details = {
            "version": number,
            "epochs": len(history),
            "steps": int(sum(epoch["steps"] for epoch in history)),
            "started_from": incumbent.version if incumbent and spec.initial_model else "random weights",
            "recall@10": {name: round(values["recall@10"], 4) for name, values in scorecard.models.items()},
        }


def specify(
    spark: SparkSession,
    workspace: Workspace,
    run: Run,
    *,
    settings: Settings,
    versions: dict[str, str],
    incumbent: Champion | None,
) -> TrainingSpec:
    """What determines tonight's weights."""
    suits = (
        incumbent is not None
        and incumbent.architecture == settings.training.architecture
        and incumbent.business_date <= run.business_date
        and not incumbent.must_retrain
    )
    return TrainingSpec(
        folder=workspace.run_folder(run.run_id) / TRAINING_FOLDER,
        sequences=workspace.lake.path("sequences", versions["sequences"]),
        vocabulary=workspace.lake.path("vocabulary", versions["vocabulary"]),
        business_date=run.business_date,
        settings=settings.training,
        initial_model=incumbent.model_path if incumbent is not None and suits else None,
        threads=threads_per_worker(spark, settings.training.workers),
    )


def measure(
    spec: TrainingSpec,
    run: Run,
    *,
    settings: Settings,
    source_name: str,
    versions: dict[str, str],
    incumbent: Champion | None,
) -> Scorecard:
    """Candidate, champion and baselines on the held-out window."""
    from pipeline.dataset.examples import Examples
    from pipeline.evaluation.holdout import measure_baselines, measure_model

    data = Examples.open(spec.sequences, spec.vocabulary, spec.business_date, spec.settings)
    limit = settings.training.scorecard_customers
    models = {CANDIDATE: measure_model(load_model(spec.model_path), data, limit)}
    if incumbent is not None:
        models[CHAMPION] = measure_model(load_model(incumbent.model_path), data, limit)
    return Scorecard(
        source=source_name,
        business_date=run.business_date,
        run_id=run.run_id,
        window=Window.before(run.business_date, settings.training.holdout_days),
        customers=min(data.n_held_out, limit),
        champion_version=incumbent.version if incumbent is not None else None,
        vocabulary_hash=vocabulary_hash(spec.vocabulary),
        data_versions=versions,
        models=models | measure_baselines(data, limit),
    )


def log(spec: TrainingSpec, settings: Settings, source_name: str, scorecard: Scorecard, history: list[Epoch]) -> str:
    """Register the candidate in MLflow with all that led to it; returns the version number."""
    tags = {
        "run_id": scorecard.run_id,
        "business_date": scorecard.business_date.isoformat(),
        "architecture": spec.settings.architecture,
        "vocabulary_hash": scorecard.vocabulary_hash,
        "started_from": scorecard.champion_version or "" if spec.initial_model else "",
    }
    parameters: dict[str, Any] = {
        "training": masked(settings)["training"],
        "data": scorecard.data_versions,
        "held_out": {"first_day": scorecard.window.first_day, "last_day": scorecard.window.last_day},
    }
    return register(
        settings,
        source_name,
        model=load_model(spec.model_path),
        tags=tags,
        parameters=parameters | tags,
        epochs=history,
        scores=scorecard.models,
        vocabulary=spec.vocabulary,
        scorecard=scorecard.model_dump(mode="json"),
    )


if __name__ == "__main__":
    main()
