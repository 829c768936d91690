"""The right to write, audit and publish one version: at any time at most one process has it.

Held from the first write until the version is published, so that two attempts of one run (an orphan and its retry)
never touch each other's files. The system drops it when the process ends, however it ends.
"""

import fcntl
import os
from pathlib import Path

# Open locks of the versions that this process is writing.
_HELD: dict[Path, int] = {}


def claim(staged: Path) -> bool:
    """Take the right to the version staged at that path; False where another process has it."""
    if staged in _HELD:
        return True
    staged.parent.mkdir(parents=True, exist_ok=True)
    path = _lock_of(staged)
    while True:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        if _is_file_at(handle, path):
            _HELD[staged] = handle
            return True
        os.close(handle)  # its holder removed the file between our opening and our locking it


def release(staged: Path) -> None:
    """Give the right back, where this process has it; the lock's file goes with it."""
    handle = _HELD.pop(staged, None)
    if handle is not None:
        _lock_of(staged).unlink(missing_ok=True)
        os.close(handle)


def _is_file_at(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False


def _lock_of(staged: Path) -> Path:
    return staged.with_name(f".{staged.name}.lock")
