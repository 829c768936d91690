"""One MLflow run per training: parameters, metrics per epoch, resolved settings, data versions, scorecard, model.

Only the driver logs, after the workers are done: one writer, so nothing is logged twice.
"""

import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.settings import Settings
from pipeline.task import Task
from pipeline.tracking.registry import DIGEST_TAG, MODEL_FOLDER, Registry, connect, stored_digest

if TYPE_CHECKING:
    from mlflow import MlflowClient

SERVED_WITH = ("keras", "tensorflow-cpu", "numpy")


def register(
    registry: Registry,
    *,
    model_path: Path,
    tags: Mapping[str, str],
    parameters: Mapping[str, Any],
    epochs: Sequence[Mapping[str, float]],
    scores: Mapping[str, Mapping[str, float]],
    tables: Mapping[str, Path],
    scorecard: Mapping[str, Any],
) -> str:
    """Log a finished training and register its model; returns the version number.

    Registered once per run: a retry finds the version that the first attempt made.

    Args:    model_path: the file that the task wrote;
             tags: at least run_id, business_date, architecture and vocabulary_hash, which `registry.fetch` reads back;
             epochs: one mapping of metrics per epoch, in order;
             scores: the scorecard, model -> metric -> value;
             tables: folders of the tables that travel with the model;
             scorecard: the whole scorecard, as it lies in the run's folder.
    """
    import mlflow

    made = registry.version_of_run(tags["run_id"])
    if made is not None:
        return made
    settings, task = registry.settings, registry.task
    experiment_id = _experiment(connect(settings), settings, registry.name)
    with mlflow.start_run(experiment_id=experiment_id, run_name=tags["run_id"], tags=dict(tags)) as run:
        mlflow.log_params(flattened(parameters))
        mlflow.log_dict(masked(settings), "settings.json")
        for number, metrics in enumerate(epochs, start=1):
            mlflow.log_metrics(dict(metrics), step=number)
        # MLflow allows no @ in the name of a metric.
        mlflow.log_metrics({name.replace("@", "_at_"): value for name, value in flattened(scores).items()})
        mlflow.log_dict(dict(scorecard), "scorecard.json")
        for name, folder in tables.items():
            mlflow.log_artifacts(str(folder), name)
        uri, model_id = _log_model(task, model_path)
    with tempfile.TemporaryDirectory() as aside:
        digest = stored_digest(uri, task, Path(aside))
    return registry.create_version(uri, run.info.run_id, {**tags, DIGEST_TAG: digest}, model_id)


def _log_model(task: Task, model_path: Path) -> tuple[str, str | None]:
    """Log into the active run; returns the address of what was logged, and MLflow's id of a Keras model."""
    import mlflow

    if task.model_file.endswith(".keras"):
        requirements = [f"{package}=={installed(package)}" for package in SERVED_WITH]
        logged = mlflow.keras.log_model(task.load(model_path), name=MODEL_FOLDER, pip_requirements=requirements)
        return str(logged.model_uri), str(logged.model_id)
    mlflow.log_artifact(str(model_path), MODEL_FOLDER)
    return str(mlflow.get_artifact_uri(MODEL_FOLDER)), None


def record_verdict(registry: Registry, number: str, promoted: bool, reasons: Sequence[str]) -> None:
    """Write what the gate decided onto the version."""
    text = "; ".join(reasons) or "all conditions hold"
    registry.tag(number, {"gate": "passed" if promoted else "refused", "gate_reasons": text})


def masked(settings: Settings) -> dict[str, Any]:
    """Resolved settings with secrets and passwords in URLs hidden."""
    text = json.dumps(settings.model_dump(mode="json"))
    hidden: dict[str, Any] = json.loads(re.sub(r"://[^/@\"\s]+@", "://***@", text))
    return hidden


def flattened(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as `section.name`, because MLflow's parameters are flat."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= flattened(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def _experiment(client: "MlflowClient", settings: Settings, name: str) -> str:
    """The task's experiment; the embedded store's files go under data_dir, not where the job happens to run."""
    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    if settings.tracking_uri is not None:
        return str(client.create_experiment(name))
    location = (Path(settings.data_dir).resolve() / "mlartifacts" / name).as_uri()
    return str(client.create_experiment(name, artifact_location=location))
