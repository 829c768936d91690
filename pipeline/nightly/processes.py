"""Ending everything that was started here, however deep it lies.

Airflow puts each task, its Bash processes and Spark's Python workers into process groups and sessions of their own,
so a signal to one group leaves orphans that go on writing. What all of them share is the environment they inherited:
it carries a mark, and whoever carries the mark is ended.
"""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

MARK = "LARDER_STARTED_BY"
GRACE_SECONDS = 10
POLL_SECONDS = 0.1


def mark() -> dict[str, str]:
    """The environment variable to start processes with; no two calls give the same."""
    return {MARK: f"{os.getpid()}-{time.monotonic_ns()}"}


def end_marked(environment: dict[str, str]) -> None:
    """Ask every process with the environment's mark to end, and insist after a grace period."""
    entry = f"{MARK}={environment[MARK]}".encode()
    for how in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + GRACE_SECONDS
        asked: set[int] = set()
        while (found := _with(entry)) and time.monotonic() < deadline:
            for pid in found - asked:
                with suppress(ProcessLookupError):
                    os.kill(pid, how)
            asked |= found
            time.sleep(POLL_SECONDS)


def _with(entry: bytes) -> set[int]:
    """Living processes, this one excepted, whose environment holds the entry."""
    found = set()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                if entry in (folder / "environ").read_bytes().split(b"\0"):
                    found.add(int(folder.name))
            except OSError:
                continue  # ended meanwhile, or another user's
    return found
