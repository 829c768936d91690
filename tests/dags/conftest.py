"""The DAGs as Airflow itself reads them, once for all tests of this folder."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pipeline.nightly.environment import ONCE, airflow_environment, airflow_program
from pipeline.settings import REPOSITORY, Settings


@pytest.fixture(scope="session")
def described(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What describe_dags.py prints."""
    environment = airflow_environment(Settings(data_dir=tmp_path_factory.mktemp("var")), ONCE)
    for name in ("LARDER_SOURCE", "LARDER_TASK_RETRIES", "LARDER_DEADLINE_HOURS"):
        environment.pop(name, None)
    done = subprocess.run(
        [Path(airflow_program()).with_name("python"), Path(__file__).with_name("describe_dags.py"), "dags"],
        env=environment,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
