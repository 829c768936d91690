"""Removing folders so that nobody ever sees half of one."""

import os
import shutil
import time
from pathlib import Path

from pipeline.files import sync


def remove(folder: Path, aside: Path) -> None:
    """Take `folder` out of sight in one step, by a rename into `aside` (of the same file system), then delete it.

    After a kill it is there whole or gone from its place; what lies in `aside` is deleted by `empty`.
    """
    aside.mkdir(exist_ok=True)
    hidden = aside / f"{folder.name}.{os.getpid()}.{time.monotonic_ns()}"
    try:
        folder.rename(hidden)
    except FileNotFoundError:
        return
    sync(folder.parent)
    shutil.rmtree(hidden, ignore_errors=True)


def empty(aside: Path) -> None:
    """Delete what killed removals left behind."""
    for leftover in aside.glob("*"):
        shutil.rmtree(leftover, ignore_errors=True)
