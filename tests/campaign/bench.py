"""What a part of the campaign works with: a folder that is kept from step to step, a seed, and a bound in time.

A part that needs more time than it was given keeps what it did and goes on at the next call; it is a row of the table
once it has finished.
"""

import json
import os
import shutil
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.files import replace_text
from pipeline.job_server.driver import submit_arguments
from pipeline.nightly.environment import spark_environment

STATE = "state.json"

# A shop and a model of a minute: what is tried is order, kills and reasons, never quality.
TINY = {
    "LARDER_SPARK_DRIVER_MEMORY": "1g",
    "LARDER_SHUFFLE_PARTITIONS": "2",
    "LARDER_TRAINING__ARCHITECTURE": "lens_mean",
    "LARDER_TRAINING__WORKERS": "1",
    "LARDER_TRAINING__EPOCHS": "2",
    "LARDER_TRAINING__BATCH_SIZE": "16",
    "LARDER_TRAINING__MAX_BASKETS": "6",
    "LARDER_TRAINING__HOLDOUT_DAYS": "10",
    "LARDER_TRAINING__CHECKPOINT_STEPS": "1",
    "LARDER_TASKS__CUSTOMER_VALUES__TRAINING__HOLDOUT_DAYS": "7",
    # A model that saw a few customers once beats nothing; the night is to go on with it all the same.
    "LARDER_PROMOTION__MIN_GAIN_OVER_BASELINE": "-1",
}


@dataclass
class Bench:
    """One step of one part. `folder` is the part's own; `shared` is for what all parts use, made once."""

    folder: Path
    shared: Path
    seed: int = 1
    seconds: float = 20.0
    begun: float = field(default_factory=time.monotonic)

    def is_over(self) -> bool:
        """Whether this step has had its time."""
        return time.monotonic() - self.begun >= self.seconds

    def state(self) -> dict[str, Any]:
        """What earlier steps of this part kept."""
        path = self.folder / STATE
        kept: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
        return kept

    def keep(self, **state: object) -> None:
        """Keep it for the next step."""
        self.folder.mkdir(parents=True, exist_ok=True)
        replace_text(self.folder / STATE, json.dumps(self.state() | state))

    def fresh(self, name: str) -> Path:
        """An empty folder."""
        path = self.folder / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        return path


def environment(data: Path, **more: str) -> dict[str, str]:
    """Variables of a process that works on this data folder: no setting of the user's, and its own temporary folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LARDER_", "AIRFLOW", "SPARK"))}
    temporary = data / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    ours = {
        "LARDER_DATA_DIR": str(data),
        "PYSPARK_SUBMIT_ARGS": spark_arguments(temporary),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "TMPDIR": str(temporary),
    }
    return kept | spark_environment() | TINY | ours | more


def spark_arguments(temporary: Path) -> str:
    """PYSPARK_SUBMIT_ARGS of a small application that writes aside into that folder."""
    return submit_arguments(TINY["LARDER_SPARK_DRIVER_MEMORY"], str(temporary))


def add(one: Counter[str], other: dict[str, int]) -> Counter[str]:
    """Both counted together, with what was counted as 0 kept: a fault that was looked for and not found is a result."""
    return Counter({name: one[name] + other.get(name, 0) for name in dict.fromkeys([*one, *other])})
