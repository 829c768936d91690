"""One MLflow run per training: parameters, metrics per epoch, resolved settings, data versions, scorecard, model.

Only the driver logs, after the workers are done: one writer, so nothing is logged twice.
"""

import json
import re
from collections.abc import Mapping, Sequence
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.settings import Settings
from pipeline.tracking.registry import VOCABULARY_FOLDER, connect, model_name, tag_version, version_of_run

if TYPE_CHECKING:
    import keras
    from mlflow import MlflowClient

SERVED_WITH = ("keras", "tensorflow-cpu", "numpy")


def register(
    settings: Settings,
    source_name: str,
    *,
    model: "keras.Model",
    tags: Mapping[str, str],
    parameters: Mapping[str, Any],
    epochs: Sequence[Mapping[str, float]],
    scores: Mapping[str, Mapping[str, float]],
    vocabulary: Path,
    scorecard: Mapping[str, Any],
) -> str:
    """Log a finished training and register its model; returns the version number.

    Registered once per nightly run: a retry finds the version that the first attempt made.

    Args:    tags: at least run_id, business_date, architecture and vocabulary_hash, which `registry.fetch` reads back;
             epochs: one mapping of metrics per epoch, in order;
             scores: the scorecard, model -> metric -> value;
             vocabulary: folder of the vocabulary's Parquet files;
             scorecard: the whole scorecard, as it lies in the run's folder.
    """
    import mlflow

    made = version_of_run(settings, source_name, tags["run_id"])
    if made is not None:
        return made
    client = connect(settings)
    experiment_id = _experiment(client, settings, source_name)
    with mlflow.start_run(experiment_id=experiment_id, run_name=tags["run_id"], tags=dict(tags)) as run:
        mlflow.log_params(flattened(parameters))
        mlflow.log_dict(masked(settings), "settings.json")
        for number, metrics in enumerate(epochs, start=1):
            mlflow.log_metrics(dict(metrics), step=number)
        # MLflow allows no @ in the name of a metric.
        mlflow.log_metrics({name.replace("@", "_at_"): value for name, value in flattened(scores).items()})
        mlflow.log_dict(dict(scorecard), "scorecard.json")
        mlflow.log_artifacts(str(vocabulary), VOCABULARY_FOLDER)
        requirements = [f"{package}=={installed(package)}" for package in SERVED_WITH]
        logged = mlflow.keras.log_model(model, name="model", pip_requirements=requirements)
    name = model_name(source_name)
    if not client.search_registered_models(f"name='{name}'"):
        client.create_registered_model(name)
    # The run_id tag is part of creation: a kill can leave no version without it, nor a retry make a second one.
    registered = client.create_model_version(
        name, source=logged.model_uri, run_id=run.info.run_id, tags=dict(tags), model_id=logged.model_id
    )
    return str(registered.version)


def record_verdict(settings: Settings, source_name: str, number: str, promoted: bool, reasons: Sequence[str]) -> None:
    """Write what the gate decided onto the version."""
    text = "; ".join(reasons) or "all conditions hold"
    tag_version(settings, source_name, number, {"gate": "passed" if promoted else "refused", "gate_reasons": text})


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


def _experiment(client: "MlflowClient", settings: Settings, source_name: str) -> str:
    """The source's experiment; the embedded store's files go under data_dir, not where the job happens to run."""
    name = model_name(source_name)
    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    if settings.tracking_uri is not None:
        return str(client.create_experiment(name))
    location = (Path(settings.data_dir).resolve() / "mlartifacts" / name).as_uri()
    return str(client.create_experiment(name, artifact_location=location))
