"""A process's folder for what nobody reads later, in the temporary folder of the system, removed even after a kill."""

import fcntl
import os
import shutil
import tempfile
import time
from pathlib import Path

PREFIX = "larder-tmp-"
SECONDS_TO_LOCK = 60.0  # a folder is younger than that where its process may not have locked it yet


class TemporaryFolder:
    """A new folder, locked as long as its process lives; folders of processes that are gone are removed first."""

    def __init__(self) -> None:
        remove_stale(Path(tempfile.gettempdir()))
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
        # The lock of a process ends with it, however it ends, and holds across containers that share the folder.
        self._lock: int | None = os.open(self.path, os.O_RDONLY)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def remove(self) -> None:
        """Remove the folder; calling it again does nothing."""
        if self._lock is not None:
            shutil.rmtree(self.path, ignore_errors=True)
            os.close(self._lock)
            self._lock = None


def remove_stale(parent: Path) -> None:
    """Remove such folders that no process holds; those of other users stay."""
    for folder in parent.glob(f"{PREFIX}*"):
        try:
            is_new = time.time() - folder.stat().st_mtime < SECONDS_TO_LOCK
            if is_new or folder.is_symlink() or not folder.is_dir():
                continue
            handle = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError:
            continue  # another user's, or another process was quicker
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:
            pass  # its process lives
        finally:
            os.close(handle)
