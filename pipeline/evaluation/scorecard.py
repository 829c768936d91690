"""The scorecard of a night: candidate, champion and baselines on one held-out window, side by side.

Hold-out protocol. The window is the last `holdout_days` before the business date. A customer's history is what was
bought before the window, the truth is the customer's first basket inside it. The candidate was trained on targets
before the window only. The champion is measured on the same customers tonight; it was trained on an earlier night with
that night's window held out, which ends before tonight's, so it never saw a day of tonight's window either.
"""

import json
from datetime import date, timedelta
from pathlib import Path

from pydantic import BaseModel

from pipeline.files import replace_text

FILE_NAME = "scorecard.json"
CANDIDATE = "candidate"
CHAMPION = "champion"


class Window(BaseModel):
    """Days whose baskets are held out, both ends included."""

    first_day: date
    last_day: date

    @classmethod
    def before(cls, business_date: date, holdout_days: int) -> "Window":
        """The last `holdout_days` days of history as of the business date."""
        return cls(first_day=business_date - timedelta(days=holdout_days), last_day=business_date - timedelta(days=1))


class Scorecard(BaseModel):
    """What the gate decides on and what a merchandiser is shown."""

    source: str
    task: str = "next_basket"
    """Scorecards of before there were others name none."""
    business_date: date
    run_id: str
    window: Window
    customers: int
    champion_version: str | None = None
    vocabulary_hash: str
    data_versions: dict[str, str]
    models: dict[str, dict[str, float]]
    """Name (`candidate`, `champion`, a baseline) -> metric (`recall@10`, `gap_mae_days`, ...) -> value."""

    def write(self, folder: Path) -> None:
        """Put it into the task's folder of the run, whole or not at all."""
        replace_text(folder / FILE_NAME, json.dumps(self.model_dump(mode="json"), indent=1, allow_nan=True))

    @classmethod
    def read(cls, folder: Path) -> "Scorecard":
        """That of a task's folder of a run. Raises FileNotFoundError that names the job to run."""
        found = read_scorecard(folder)
        if found is None:
            raise FileNotFoundError(f"{folder / FILE_NAME} is missing; run the job train_model of this run first")
        return found


def read_scorecard(folder: Path) -> Scorecard | None:
    """The scorecard of a task's folder of a run; None where it has not trained."""
    path = folder / FILE_NAME
    return Scorecard.model_validate(json.loads(path.read_text())) if path.is_file() else None
