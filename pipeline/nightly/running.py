"""The night of a source that is running: the lock it holds, who holds it, and ending it from outside.

The lock's file says which night holds it and the mark that its processes carry in their environment. Airflow and its
jobs lie in process groups and sessions of their own, so a signal to one group ends a job and not the night; the mark
reaches all of them.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.nightly.processes import MARK, end_marked

LOCK_FILE = ".night.lock"
SECONDS_TO_END = 60
POLL_SECONDS = 0.2


class NightFailed(Exception):
    """The night ended early, or may not start; the message says where and what to read."""


@dataclass(frozen=True)
class Holder:
    """The night that holds the lock, what its processes are marked with, and the command that ends it."""

    name: str
    marked: str
    stop_command: str


@contextmanager
def locked(runs: Path) -> Iterator[int]:
    """Hold the source's lock; Airflow inherits it, so it is free only when the last process of the night is gone.

    Args:   runs: the folder of all the source's runs.
    Raises: NightFailed: when a night of `larder nightly` is still running.
    """
    runs.mkdir(parents=True, exist_ok=True)
    handle = os.open(runs / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if not _free(handle):
            holder = _read(handle)
            how = f" ({holder.name}); wait for it, or end it with: {holder.stop_command}" if holder else "; wait for it"
            raise NightFailed(f"another night of this source is still running{how}")
        os.ftruncate(handle, 0)
        yield handle
    finally:
        os.close(handle)


def say_who_holds(lock: int, holder: Holder) -> None:
    """Write into the lock's file which night holds it; called before its first process starts."""
    os.ftruncate(lock, 0)
    os.pwrite(lock, json.dumps(asdict(holder)).encode(), 0)


def stop_night(runs: Path, name: str) -> None:
    """End every process of the running night `name`, and wait until its lock is free.

    Raises: NightFailed: that night is not running, or it could not be ended.
    """
    path = runs / LOCK_FILE
    if not path.is_file():
        raise NightFailed(f"no night of this source is running, so there is no {name} to stop")
    handle = os.open(path, os.O_RDWR)
    try:
        if _free(handle):
            raise NightFailed(f"no night of this source is running, so there is no {name} to stop")
        holder = _read(handle)
        if holder is None or holder.name != name:
            raise NightFailed(f"{name} is not running; the lock of this source is held by {_named(holder)}")
        deadline = time.monotonic() + SECONDS_TO_END
        while not _free(handle):
            if time.monotonic() > deadline:
                raise NightFailed(f"{name} still holds {path} after {SECONDS_TO_END} seconds; is it another user's?")
            end_marked({MARK: holder.marked})
            time.sleep(POLL_SECONDS)
    finally:
        os.close(handle)


def _free(handle: int) -> bool:
    """Take the lock if nobody holds it."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(handle: int) -> Holder | None:
    """Who holds the lock; None for a holder that is no night, such as `larder erase`."""
    text = os.pread(handle, 10_000, 0)
    return Holder(**json.loads(text)) if text else None


def _named(holder: Holder | None) -> str:
    return f"{holder.name} (end it with: {holder.stop_command})" if holder else "a command such as `larder erase`"
