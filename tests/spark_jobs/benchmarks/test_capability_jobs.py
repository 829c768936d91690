"""What the jobs of a capability cost: the jobs are those of its DAG, and whatever a job leaves behind is counted."""

import json
import sys

import pytest

from pipeline.settings import REPOSITORY
from spark_jobs.benchmarks.capability_jobs import GROUPS, command_of, measured_apart

GOLDEN = REPOSITORY / "tests" / "dags" / "golden"


def jobs_of_dag(name: str) -> list[tuple[str, ...]]:
    """Jobs of a DAG in its order, without the arguments that all take."""
    found = []
    for command in json.loads((GOLDEN / f"{name}.json").read_text()).values():
        if isinstance(command, list):
            found.append((command[0].removesuffix(".py"), *command[1 : command.index("--source")]))
        elif "model promote" in command.get("bash", ""):
            words = command["bash"].split()
            found.append(("promote", *words[words.index("--unattended") + 1 : words.index("--source")]))
    return found


@pytest.mark.parametrize("name", sorted(set(GROUPS) - {"night"}))
def test_a_group_has_the_jobs_of_its_dag(name: str) -> None:
    assert list(GROUPS[name]) == jobs_of_dag(name)


def test_the_jobs_before_them_are_some_of_the_nights() -> None:
    assert set(GROUPS["night"]) <= set(jobs_of_dag("nightly"))


def test_the_memory_of_an_orphan_counts() -> None:
    child = "import time; block = bytearray(300_000_000); time.sleep(0.2)"
    leaving = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {child!r}])"
    assert measured_apart([sys.executable, "-c", leaving])["largest_process_mb"] > 250
    assert measured_apart([sys.executable, "-c", "pass"])["largest_process_mb"] < 250


def test_a_job_that_fails_ends_the_measurement_with_its_words() -> None:
    with pytest.raises(SystemExit, match="no such table"):
        measured_apart([sys.executable, "-c", "raise SystemExit('no such table')"])


def test_all_jobs_take_the_same_three_arguments() -> None:
    run = ["--source", "s", "--business-date", "2025-01-01", "--run-id", "r"]
    assert command_of(("promote", "--task", "returns"), run)[1:] == [
        "-m", "pipeline.cli", "model", "promote", "--unattended", "--task", "returns", *run,
    ]  # fmt: skip
    assert command_of(("predict_returns",), run)[1:] == ["-m", "spark_jobs.predict_returns", *run]
