"""What a worker tells the task of Spark that waits for it: done, why there is nothing to train, or that it died."""

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.settings import REPOSITORY
from pipeline.training import launcher
from tests.pipeline.training.test_launcher import spec

# The worker's own program but for TensorFlow, which takes seconds to import: its training ends as the test says.
PROGRAM = """
import sys, types
def train(_task, _spec):
    from models.refusal import Refusal
    {end}
sys.modules["pipeline.training.train"] = types.SimpleNamespace(train=train)
from pipeline.training.worker import main
main()
"""


def said_by_a_worker(folder: Path, end: str) -> str | None:
    path = spec(folder).write()
    log = path.parent / "worker-0.log"
    command = [sys.executable, "-c", PROGRAM.format(end=end), str(path), "builtins:object"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with log.open("ab") as errors, subprocess.Popen(command, stderr=errors, cwd=REPOSITORY, **pipes) as process:  # type: ignore[call-overload]
        try:
            return launcher.await_worker(process, 0, log, timeout_seconds=30)
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("end", "refusal"), [("pass", None), ("raise Refusal('no customer\\nbought twice')", "no customer bought twice")]
)
def test_a_worker_says_how_its_training_ended(end: str, refusal: str | None, tmp_path: Path) -> None:
    assert said_by_a_worker(tmp_path, end) == refusal
    assert "Traceback" not in (tmp_path / "training" / "worker-0.log").read_text()


def test_a_fault_of_the_code_keeps_its_trace(tmp_path: Path) -> None:
    with pytest.raises(launcher.TrainingFailed, match="ended with 1"):
        said_by_a_worker(tmp_path, "raise ValueError('shapes differ')")
    assert "Traceback" in (tmp_path / "training" / "worker-0.log").read_text()
