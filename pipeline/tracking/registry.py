"""The model registry: which versions of a task's model exist for a source, and which one is champion.

One registered model `larder-<source>-<task>`; a version per run that trained; the alias `champion` names the version
that predicts. Keras models lie in MLflow's Keras flavour, others as plain files, and the tables that give a model's
indices a meaning beside them as Parquet. Nothing is a pickle. A version carries the digest of its model file, so that a
file that was changed since, in the store or in a local copy, is found out.
"""

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.settings import Settings
from pipeline.task import ServedModel, Task
from pipeline.text import without_passwords
from pipeline.tracking.reachable import TrackingStoreError, check_reachable

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

ALIAS = "champion"
RETRAIN_TAG = "retrain"
DIGEST_TAG = "model_sha256"
SOURCE_TAG = "larder_source"
MODEL_FOLDER = "model"
HELD_OUT_FROM = "held_out.first_day"
"""Parameter of a training's MLflow run, as spark_jobs/train_model.py logs it."""
_OF_STORES = ("mlflow", "sqlalchemy", "sqlite3", "requests", "urllib3")


@dataclass(frozen=True)
class RegisteredVersion:
    """One version of a task's model; the paths are local copies that never change."""

    name: str
    number: str
    architecture: str
    vocabulary_hash: str
    business_date: date
    run_id: str
    folder: Path
    model_path: Path
    digest: str = ""
    """SHA-256 of the model file when it was registered; "" where none was recorded."""
    must_retrain: bool = False
    """Trained on a customer who was erased since: the next training does not start from its weights."""

    @property
    def version(self) -> str:
        """How alerts and tables name it, for example `larder-shop-next_basket/3`."""
        return f"{self.name}/{self.number}"

    def table(self, name: str) -> Path:
        """The copy of a table that lies beside the model."""
        return self.folder / name

    def served(self, task: Task) -> ServedModel:
        """It as its task knows it."""
        tables = {name: self.table(name) for name in task.tables_beside_model}
        return ServedModel(self.version, self.architecture, self.model_path, tables)


Champion = RegisteredVersion


@dataclass(frozen=True)
class Registry:
    """The versions of one task of one source."""

    settings: Settings
    source_name: str
    task: Task

    @property
    def name(self) -> str:
        """The registered name."""
        return f"larder-{self.source_name}-{self.task.name}"

    def champion(self) -> Champion | None:
        """The version that predicts, fetched to local files; None before the first promotion."""
        number = self.champion_number()
        return self.fetch(number) if number else None

    def champion_number(self) -> str | None:
        """The champion's version number, without fetching its files."""
        return champion_number(self.settings, self.name)

    def version_of_run(self, run_id: str) -> str | None:
        """The number of the version that `run_id` registered, or None."""
        found = connect(self.settings).search_model_versions(f"name='{self.name}' and tags.run_id='{run_id}'")
        return max((str(version.version) for version in found), key=int, default=None)

    def fetch(self, number: str) -> RegisteredVersion:
        """A version with its files copied under the source's folder, once.

        A copy is kept by MLflow run and digest: numbers begin again in a new store. A copy whose model file is not the
        registered one is fetched anew.
        """
        return fetch(self.settings, self.source_name, self.task, self.name, number)

    def learned_before(self, version: str) -> date:
        """The first held-out day of a version's training: it learned from nothing on or after it.

        Where that was not recorded, the business date of its night.

        Args:   version: as tables name it, of this task or of its former name.
        Raises: what `store_errors` names: it is no longer there.
        """
        name, _, number = version.rpartition("/")
        client = connect(self.settings)
        run = client.get_run(str(client.get_model_version(name, number).run_id)).data
        return date.fromisoformat(run.params.get(HELD_OUT_FROM) or run.tags["business_date"])

    def make_champion(self, number: str) -> None:
        """Point the alias at a version."""
        connect(self.settings).set_registered_model_alias(self.name, ALIAS, number)

    def tag(self, number: str, tags: Mapping[str, str]) -> None:
        """Write tags onto a version; a tag that is there already is replaced."""
        tag_version(self.settings, self.name, number, tags)

    def versions(self) -> list[dict[str, Any]]:
        """All registered versions, newest first: number, champion or not, and their tags."""
        return versions(self.settings, self.name)

    def create_version(self, source: str, mlflow_run: str, tags: Mapping[str, str], model_id: str | None) -> str:
        """Register files of an MLflow run; returns the version number.

        The tags are part of creation: a kill can leave no version without its run, nor a retry make a second one.
        """
        client = connect(self.settings)
        if not client.search_registered_models(f"name='{self.name}'"):
            tags_of_all = {SOURCE_TAG: self.source_name, "larder_task": self.task.name}
            client.create_registered_model(self.name, tags=tags_of_all)
        made = client.create_model_version(
            self.name, source=source, run_id=mlflow_run, tags=dict(tags), model_id=model_id
        )
        return str(made.version)


def mark_for_retraining(settings: Settings, source_name: str, first_sold_on: date, why: str) -> list[str]:
    """Mark every version that may have learned from a customer, of all tasks: of a night after the first purchase.

    Returns: the versions as tables name them, newest first.
    """
    found = connect(settings).search_registered_models(f"tags.{SOURCE_TAG}='{source_name}'")
    marked = []
    # Before names held the task, a source's only model had the source's name and no tag.
    for name in (*sorted(str(model.name) for model in found), f"larder-{source_name}"):
        for entry in versions(settings, name):
            if date.fromisoformat(entry["business_date"]) > first_sold_on:
                tag_version(settings, name, entry["number"], {RETRAIN_TAG: why})
                marked.append(f"{name}/{entry['number']}")
    return marked


def fetch(settings: Settings, source_name: str, task: Task, name: str, number: str) -> RegisteredVersion:
    """A version of any registered name; see `Registry.fetch`."""
    client = connect(settings)
    registered = client.get_model_version(name, number)
    mlflow_run = str(registered.run_id)
    tags = client.get_run(mlflow_run).data.tags
    digest = str(registered.tags.get(DIGEST_TAG, ""))
    copies = Path(settings.data_dir).resolve() / source_name / "models" / task.name
    folder = copies / f"{mlflow_run}-{digest[:16] or 'unsigned'}"
    if folder.is_dir() and digest and file_digest(_model_path(folder, task)) != digest:
        shutil.rmtree(folder)
    if not folder.is_dir():
        _copy(client, registered, task, folder)
    return RegisteredVersion(
        name=name,
        number=str(number),
        architecture=tags["architecture"],
        vocabulary_hash=tags["vocabulary_hash"],
        business_date=date.fromisoformat(tags["business_date"]),
        run_id=tags["run_id"],
        folder=folder,
        model_path=_model_path(folder, task),
        digest=digest,
        must_retrain=RETRAIN_TAG in registered.tags,
    )


def champion_number(settings: Settings, name: str) -> str | None:
    """The number of the version with the alias `champion`, of any registered name."""
    from mlflow.exceptions import MlflowException

    try:
        # search_model_versions returns no aliases, so the alias is asked for by name.
        return str(connect(settings).get_model_version_by_alias(name, ALIAS).version)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise


def versions(settings: Settings, name: str) -> list[dict[str, Any]]:
    """All versions of a registered name, newest first: number, champion or not, and their tags."""
    current = champion_number(settings, name)
    found = connect(settings).search_model_versions(f"name='{name}'")
    ordered = sorted(found, key=lambda version: int(version.version), reverse=True)
    return [
        {"number": str(entry.version), "champion": str(entry.version) == current, **entry.tags} for entry in ordered
    ]


def tag_version(settings: Settings, name: str, number: str, tags: Mapping[str, str]) -> None:
    """Write tags onto a version of any registered name."""
    client = connect(settings)
    for key, value in tags.items():
        client.set_model_version_tag(name, number, key, value[:5000])


def load_error(task: Task, model_path: Path) -> str | None:
    """Why a model file does not load with the code at hand; None where it does."""
    try:
        task.load(model_path)
    except Exception as error:  # a library's own, whatever it is: the file is at fault
        return f"{type(error).__name__}: {error}"[:500]
    return None


def store_errors() -> tuple[type[Exception], ...]:
    """What fetching a version raises where the store lacks its files or its record is incomplete."""
    from mlflow.exceptions import MlflowException

    return MlflowException, OSError, KeyError, ValueError


@contextmanager
def failing_plainly(settings: Settings) -> Iterator[None]:
    """TrackingStoreError in place of MLflow's own errors, and of the libraries by which it reaches its store: that went
    away, refuses to go on, or has no room.
    """
    try:
        yield
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in _OF_STORES:
            raise
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise TrackingStoreError(
            f"the tracking store {without_passwords(settings.mlflow_uri)} failed: {without_passwords(reason)}"[:500]
        ) from error


def file_digest(path: Path) -> str:
    """SHA-256 of a file; "" where there is none."""
    if not path.is_file():
        return ""
    with path.open("rb") as stored:
        return hashlib.file_digest(stored, "sha256").hexdigest()


def stored_digest(uri: str, task: Task, aside: Path) -> str:
    """SHA-256 of the model file as the store holds it: a Keras file is written anew when it is logged."""
    from mlflow.artifacts import download_artifacts

    aside.mkdir(parents=True, exist_ok=True)
    download_artifacts(artifact_uri=uri, dst_path=str(aside))
    return file_digest(aside / _inside(task))


def connect(settings: Settings) -> "MlflowClient":
    """A client of the configured store; makes the embedded one's folder on first use."""
    # A retailer's nightly run reports to nobody.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    import mlflow

    if settings.tracking_uri is None:
        Path(settings.data_dir).mkdir(parents=True, exist_ok=True)
    check_reachable(settings.mlflow_uri)
    mlflow.set_tracking_uri(settings.mlflow_uri)
    return mlflow.MlflowClient(tracking_uri=settings.mlflow_uri)


def _copy(client: "MlflowClient", registered: "ModelVersion", task: Task, folder: Path) -> None:
    from mlflow.artifacts import download_artifacts

    aside = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(aside, ignore_errors=True)
    (aside / MODEL_FOLDER).mkdir(parents=True)
    uri = f"models:/{registered.name}/{registered.version}"
    download_artifacts(artifact_uri=uri, dst_path=str(aside / MODEL_FOLDER))
    for table in task.tables_beside_model:
        client.download_artifacts(str(registered.run_id), table, str(aside))
    _settle(aside, folder)


def _settle(aside: Path, folder: Path) -> None:
    """Move a completed copy to its place; another process may have been faster, with the same content."""
    try:
        aside.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
        shutil.rmtree(aside)


def _model_path(folder: Path, task: Task) -> Path:
    return folder / MODEL_FOLDER / _inside(task)


def _inside(task: Task) -> Path:
    """Where MLflow's Keras flavour puts its file, whatever it was called, and where a plain file lies."""
    return Path("data/model.keras") if task.model_file.endswith(".keras") else Path(task.model_file)
