"""What each stage of a run did: name, rows in and out, seconds. The terminal, the report and operators read these."""

import errno
import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

NOT_REGISTERED = "not_registered"
"""Detail of a training: why its model is in no tracking store, where that did not answer."""


@dataclass
class Stage:
    """One stage; jobs fill rows and details while it runs."""

    name: str
    status: str = "running"
    rows_in: int | None = None
    rows_out: int | None = None
    seconds: float | None = None
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Its name, and the task of a stage that a run has once per task."""
        task = self.details.get("task")
        return f"{self.name} {task}" if task else self.name


@contextmanager
def stage(name: str, run_folder: Path) -> Iterator[Stage]:
    """Record the start and the end (`done` or `failed`) of a stage in the run's `stages.jsonl`."""
    record = Stage(name)
    _append(run_folder, record)
    started = time.monotonic()
    try:
        yield record
    except BaseException as error:
        record.status = "failed"
        record.details["error"] = f"{type(error).__name__}: {error}"[:2000]
        raise
    else:
        record.status = "done"
    finally:
        record.seconds = round(time.monotonic() - started, 2)
        _append(run_folder, record)


def read_stages(run_folder: Path) -> list[Stage]:
    """All records so far, in order; a half-written last line is left out."""
    path = run_folder / "stages.jsonl"
    lines = path.read_text().splitlines(keepends=True) if path.is_file() else []
    return [Stage(**json.loads(line)) for line in lines if line.endswith("\n")]


def not_registered(run_folder: Path, task: str) -> str | None:
    """Why the run's latest training of a task registered no model; None where it did, or has not run."""
    trainings = [
        one for one in read_stages(run_folder) if one.details.get("task") == task and one.name == "train_model"
    ]
    return trainings[-1].details.get(NOT_REGISTERED) if trainings else None


def _append(run_folder: Path, record: Stage) -> None:
    """Add a line, whole or not at all; half a line that a kill or a full disk left is removed first.

    Raises: OSError: where there is no room for it.
    """
    line = (json.dumps(asdict(record), default=str) + "\n").encode()
    path = run_folder / "stages.jsonl"
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        written = os.pread(handle, os.fstat(handle).st_size, 0)
        whole = written.rfind(b"\n") + 1
        if whole < len(written):
            os.ftruncate(handle, whole)
        if os.write(handle, line) < len(line):
            os.ftruncate(handle, whole)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
    finally:
        os.close(handle)
