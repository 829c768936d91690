"""What one training is: everything that determines the final weights, in one JSON file that every worker reads."""

import json
import shutil
from datetime import date
from pathlib import Path

from pydantic import BaseModel

from pipeline.files import replace_text
from pipeline.settings import TrainingSettings
from pipeline.training.progress import PROGRESS_FILE

SPEC_FILE = "spec.json"
MODEL_FILE = "model.keras"
HISTORY_FILE = "history.json"
CHECKPOINTS = "checkpoints"


class TrainingFolder(BaseModel):
    """How to train and where the files of it lie."""

    folder: Path
    """Checkpoints, logs and the final model; on storage that all workers and the driver share."""
    settings: TrainingSettings
    initial_model: Path | None = None
    """Model file to start from; None starts anew."""
    model_file: str = MODEL_FILE
    """Name of the model's file, as its task wants it."""

    @property
    def model_path(self) -> Path:
        """The finished model: present only once training is complete."""
        return self.folder / self.model_file

    @property
    def best_path(self) -> Path:
        """The model as of the epoch with the best validation loss so far."""
        return self.folder / f"best_{self.model_file}"

    @property
    def history_path(self) -> Path:
        """Metrics of each finished epoch."""
        return self.folder / HISTORY_FILE

    @property
    def checkpoints(self) -> Path:
        """The chief's: weights, optimizer state and step."""
        return self.folder / CHECKPOINTS

    def supervised(self) -> "TrainingFolder":
        """The training that comes before a fine-tuning, in a folder of its own."""
        return TrainingFolder(
            folder=self.folder / "supervised", settings=self.settings, initial_model=self.initial_model
        )

    def fine_tuning(self) -> "TrainingFolder":
        """The fine-tuning of what `supervised` ends with; its model is this folder's."""
        settings = self.settings
        changed = {
            "epochs": settings.finetune_epochs,
            "learning_rate": settings.finetune_learning_rate,
            "repeat_until_step": None,
            "pointer_steps": 0,
        }
        return TrainingFolder(
            folder=self.folder,
            settings=settings.model_copy(update=changed),
            initial_model=self.supervised().model_path,
        )

    def clean(self) -> None:
        """Remove what a finished and registered training no longer needs: all but spec, history and logs."""
        for folder in (self.folder, self.supervised().folder):
            shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)
            for path in (*folder.glob("*.keras"), folder / self.model_file, folder / PROGRESS_FILE):
                path.unlink(missing_ok=True)


class TrainingSpec(TrainingFolder):
    """One training. Two trainings with equal specs end with bitwise equal weights, disturbed or not."""

    task: str
    """Its name in pipeline/tasks/catalog.py."""
    tables: dict[str, Path]
    """Data of the version of each table that it reads."""
    business_date: date
    threads: int = 1
    """TensorFlow threads of each worker."""

    def write(self) -> Path:
        """Put the spec into its folder; what a different training left there is removed."""
        path = self.folder / SPEC_FILE
        text = self.model_dump_json(indent=1)
        if path.is_file() and path.read_text() != text:
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        replace_text(path, text)
        return path

    @classmethod
    def read(cls, path: Path) -> "TrainingSpec":
        """The spec that the driver wrote."""
        return cls.model_validate(json.loads(path.read_text()))
