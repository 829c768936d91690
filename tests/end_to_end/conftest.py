"""One night of a tiny shop through Airflow, which all end-to-end tests look at."""

import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from pipeline.settings import REPOSITORY, Settings
from pipeline.workspace import Workspace

TINY = {
    "LARDER_SPARK_DRIVER_MEMORY": "1g",
    "LARDER_SHUFFLE_PARTITIONS": "2",
    "LARDER_TRAINING__EPOCHS": "1",
    # Several steps, so that a night can be killed between two of them.
    "LARDER_TRAINING__BATCH_SIZE": "16",
    "LARDER_TRAINING__MAX_BASKETS": "6",
    "LARDER_TRAINING__HOLDOUT_DAYS": "10",
    # A model that saw sixty customers once beats nothing; the night is to go on with it all the same.
    "LARDER_PROMOTION__MIN_GAIN_OVER_BASELINE": "-1",
    "LARDER_PROMOTION__GUARDS": "{}",
}
SHOP = ("--first-day", "2025-01-06", "--customers", "60", "--days", "60", "--products", "80", "--stores", "2")


@dataclass(frozen=True)
class FinishedNight:
    """What a night left behind."""

    environment: dict[str, str]
    output: str
    settings: Settings
    workspace: Workspace
    business_date: date

    @property
    def folder(self) -> Path:
        """The folder of its only run."""
        return next((self.workspace.root / "runs").glob("nightly-*"))

    @property
    def name(self) -> str:
        """Its run id."""
        return self.folder.name


@pytest.fixture(scope="session")
def finished_night(tmp_path_factory: pytest.TempPathFactory) -> FinishedNight:
    data = tmp_path_factory.mktemp("night")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LARDER_", "AIRFLOW", "SPARK"))}
    environment = {**kept, **TINY, "LARDER_DATA_DIR": str(data)}
    larder(environment, "simulate", *SHOP)
    output = larder(environment, "nightly")
    settings = Settings(data_dir=data)
    return FinishedNight(environment, output, settings, Workspace.of(settings, "shop"), date(2025, 3, 7))


def larder(environment: dict[str, str], *arguments: str) -> str:
    """Run a `larder` command as an operator would; its output, or a failure that shows it."""
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.cli", *arguments],
        env=environment,
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        logs = Path(environment["LARDER_DATA_DIR"]).glob("*/runs/*/airflow.log")
        tail = "\n".join(log.read_text(errors="replace")[-6000:] for log in logs)
        pytest.fail(f"larder {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}\n{tail}")
    return done.stdout
