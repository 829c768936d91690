"""Where one source's files lie, and what one run of one job is about."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipeline.lake.lake import VERSION_NAME, Lake
from pipeline.settings import Settings

TASKS_FOLDER = "tasks"


@dataclass(frozen=True)
class Workspace:
    """The folders of one source under `data_dir`."""

    root: Path

    @classmethod
    def of(cls, settings: Settings, source_name: str) -> "Workspace":
        """The workspace of the source called `source_name` (the name in its description, not a path)."""
        return cls(Path(settings.data_dir).resolve() / source_name)

    @property
    def raw(self) -> Path:
        """Delivered files of sources that Larder itself prepares (the simulated shop, Ta-Feng)."""
        return self.root / "raw"

    @property
    def lake(self) -> Lake:
        """The source's tables."""
        return Lake(self.root / "lake")

    @property
    def runs(self) -> Path:
        """The folders of all runs."""
        return self.root / "runs"

    def runs_with_task(self, task: str) -> list[str]:
        """The runs that trained a candidate of that task."""
        return sorted(folder.parents[1].name for folder in self.runs.glob(f"*/{TASKS_FOLDER}/{task}"))

    def run_folder(self, run_id: str) -> Path:
        """Stage records, checkpoints and reports of one run; made if missing."""
        folder = self.runs / run_id
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def task_folder(self, run_id: str, task: str) -> Path:
        """Training, scorecard and verdict of one task in one run; made if missing."""
        folder = self.run_folder(run_id) / TASKS_FOLDER / task
        folder.mkdir(parents=True, exist_ok=True)
        return folder


@dataclass(frozen=True)
class Run:
    """One job's share of one night: every job takes exactly these three arguments."""

    source: str
    business_date: date
    run_id: str

    def __post_init__(self) -> None:
        """A run id names folders, so it is held to safe characters."""
        if not VERSION_NAME.fullmatch(self.run_id):
            raise ValueError(f"run id {self.run_id!r} may hold letters, digits, dot, dash and underscore only")
