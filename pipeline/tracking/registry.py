"""The model registry: which versions of a source's model exist, and which one is champion.

One registered model `larder-<source>` per source; a version per night that trained; the alias `champion` names the
version that predicts. The Keras file holds the keys of the products and customers it knows; the vocabulary goes beside
it as plain Parquet. Nothing is a pickle.
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.settings import Settings
from pipeline.tracking.reachable import check_reachable

if TYPE_CHECKING:
    from mlflow import MlflowClient

ALIAS = "champion"
RETRAIN_TAG = "retrain"
MODEL_FOLDER = "model"
VOCABULARY_FOLDER = "vocabulary"


@dataclass(frozen=True)
class RegisteredVersion:
    """One version of a source's model; the paths are local copies that never change."""

    name: str
    number: str
    architecture: str
    vocabulary_hash: str
    business_date: date
    run_id: str
    folder: Path
    must_retrain: bool = False
    """Trained on a customer who was erased since: the next training does not start from its weights."""

    @property
    def version(self) -> str:
        """How alerts and tables name it, for example `larder-shop/3`."""
        return f"{self.name}/{self.number}"

    @property
    def model_path(self) -> Path:
        """The Keras file."""
        return self.folder / MODEL_FOLDER / "data" / "model.keras"

    @property
    def vocabulary_path(self) -> Path:
        """The vocabulary that it was trained with, for people: the keys in the Keras file are what code goes by."""
        return self.folder / VOCABULARY_FOLDER


Champion = RegisteredVersion


def model_name(source_name: str) -> str:
    """The registered name of a source's model."""
    return f"larder-{source_name}"


def champion(settings: Settings, source_name: str) -> Champion | None:
    """The version that predicts, fetched to local files; None before the first promotion."""
    number = champion_number(settings, source_name)
    return fetch(settings, source_name, number) if number else None


def champion_number(settings: Settings, source_name: str) -> str | None:
    """The champion's version number, without fetching its files."""
    from mlflow.exceptions import MlflowException

    try:
        # search_model_versions returns no aliases, so the alias is asked for by name.
        return str(connect(settings).get_model_version_by_alias(model_name(source_name), ALIAS).version)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise


def version_of_run(settings: Settings, source_name: str, run_id: str) -> str | None:
    """The number of the version that the nightly run `run_id` registered, or None."""
    found = connect(settings).search_model_versions(f"name='{model_name(source_name)}' and tags.run_id='{run_id}'")
    return max((str(version.version) for version in found), key=int, default=None)


def fetch(settings: Settings, source_name: str, number: str) -> RegisteredVersion:
    """A version with its files copied under the source's folder, once."""
    from mlflow.artifacts import download_artifacts

    client, name = connect(settings), model_name(source_name)
    registered = client.get_model_version(name, number)
    mlflow_run = str(registered.run_id)
    folder = Path(settings.data_dir).resolve() / source_name / "models" / number
    if not folder.is_dir():
        aside = folder.with_name(f".{number}.{os.getpid()}")
        shutil.rmtree(aside, ignore_errors=True)
        (aside / MODEL_FOLDER).mkdir(parents=True)
        download_artifacts(artifact_uri=f"models:/{name}/{number}", dst_path=str(aside / MODEL_FOLDER))
        client.download_artifacts(mlflow_run, VOCABULARY_FOLDER, str(aside))
        _settle(aside, folder)
    tags = client.get_run(mlflow_run).data.tags
    return RegisteredVersion(
        name=name,
        number=str(number),
        architecture=tags["architecture"],
        vocabulary_hash=tags["vocabulary_hash"],
        business_date=date.fromisoformat(tags["business_date"]),
        run_id=tags["run_id"],
        folder=folder,
        must_retrain=RETRAIN_TAG in registered.tags,
    )


def make_champion(settings: Settings, source_name: str, number: str) -> None:
    """Point the alias at a version."""
    connect(settings).set_registered_model_alias(model_name(source_name), ALIAS, number)


def tag_version(settings: Settings, source_name: str, number: str, tags: Mapping[str, str]) -> None:
    """Write tags onto a version; a tag that is there already is replaced."""
    client = connect(settings)
    for key, value in tags.items():
        client.set_model_version_tag(model_name(source_name), number, key, value[:5000])


def mark_for_retraining(settings: Settings, source_name: str, first_sold_on: date, why: str) -> list[str]:
    """Mark every version that may have learned from a customer: of a night after that customer's first purchase.

    Returns: the versions' numbers, newest first.
    """
    marked = [
        entry["number"]
        for entry in versions(settings, source_name)
        if date.fromisoformat(entry["business_date"]) > first_sold_on
    ]
    for number in marked:
        tag_version(settings, source_name, number, {RETRAIN_TAG: why})
    return marked


def versions(settings: Settings, source_name: str) -> list[dict[str, Any]]:
    """All registered versions, newest first: number, champion or not, and their tags."""
    current = champion_number(settings, source_name)
    found = connect(settings).search_model_versions(f"name='{model_name(source_name)}'")
    ordered = sorted(found, key=lambda version: int(version.version), reverse=True)
    return [
        {"number": str(entry.version), "champion": str(entry.version) == current, **entry.tags} for entry in ordered
    ]


def connect(settings: Settings) -> "MlflowClient":
    """A client of the configured store; makes the embedded one's folder on first use."""
    # A retailer's nightly run reports to nobody.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    import mlflow

    if settings.tracking_uri is None:
        Path(settings.data_dir).mkdir(parents=True, exist_ok=True)
    else:
        check_reachable(settings.tracking_uri)
    mlflow.set_tracking_uri(settings.mlflow_uri)
    return mlflow.MlflowClient(tracking_uri=settings.mlflow_uri)


def _settle(aside: Path, folder: Path) -> None:
    """Move a completed copy to its place; another process may have been faster, with the same content."""
    try:
        aside.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
        shutil.rmtree(aside)
