"""Files that appear whole or not at all, a power cut included."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a new path beside `path` to write a file to; when the block ends, that file takes the place of `path`.

    A block that raises leaves `path` as it was, and nothing aside.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield aside
        sync(aside)
        move(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def replace_text(path: Path, text: str) -> None:
    """Write a small file in one step: readers see the old text or the new."""
    with replacing(path) as aside:
        aside.write_text(text, encoding="utf-8")


def write_durably(path: Path, text: str) -> None:
    """Write a small file where nobody reads yet, and wait until it is on disk."""
    path.write_text(text, encoding="utf-8")
    sync(path)


def move(source: Path, target: Path) -> None:
    """Rename a file or folder on one file system, in one step that survives a power cut."""
    source.replace(target)
    sync(target.parent)


def sync(path: Path) -> None:
    """Wait until a file, or the renames within a folder, are on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def check_writable(folder: Path) -> None:
    """Return if files can be made in a folder, which is made where it is missing.

    Raises: OSError: that of the first write: a folder that may not be written, a full disk.
    """
    folder.mkdir(parents=True, exist_ok=True)
    probe = folder / f".{os.getpid()}.probe"
    try:
        write_durably(probe, "written to find out whether that is possible\n")
    finally:
        probe.unlink(missing_ok=True)
