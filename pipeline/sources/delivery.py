"""What is new since the version before: files by their content, days by the files that hold them.

A file is known by name, size and time, and if one of these moved, by its content. What was read stands in the manifest
of `transactions`, so that after a rollback, or when a run was refused, the same files are simply read again.
"""

import hashlib
import os
import shutil
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel

from pipeline.lake.lake import Lake
from pipeline.sources.last_day import last_business_day
from pipeline.sources.reader import Delivered
from pipeline.sources.source import Source, SourceError, file_day
from pipeline.tables.transactions import TRANSACTIONS


class ReadFile(BaseModel):
    """A file as it was when it was read, and what became of its lines: rows = accepted + rejected."""

    name: str
    size: int
    mtime_ns: int
    sha256: str
    rows: int = 0
    accepted: int = 0
    rejected: int = 0


class Before(NamedTuple):
    """What earlier deliveries brought: the current version of `transactions`, its files by label, its lines per day."""

    version: str | None
    files: dict[str, ReadFile]
    lines_by_day: Counter[date]

    @classmethod
    def of(cls, lake: Lake) -> "Before":
        """Read from the manifest of the current version."""
        version = lake.current(TRANSACTIONS.name)
        details: dict[str, Any] = lake.manifest(TRANSACTIONS.name, version).details if version else {}
        files = {label: ReadFile.model_validate(entry) for label, entry in details.get("files", {}).items()}
        days = {date.fromisoformat(day): lines for day, lines in details.get("lines_by_day", {}).items()}
        return cls(version, files, Counter(days))


class News(NamedTuple):
    """What a night has to do: files to read, and known files that only their time changed of."""

    to_read: dict[Delivered, ReadFile]
    touched: dict[str, ReadFile]


def new_files(files: list[Path], folder: Path, known: dict[str, ReadFile]) -> News:
    """Compare the delivered files with the known ones.

    A label is the file's name relative to `folder`; where that name stood for other content before, `#` and eight
    digits of the content's hash follow, so that a label and a line number always mean one line.

    Args:   known: by label, in the order in which they were read.
    Raises: SourceError: naming a file that cannot be read.
    """
    latest = {entry.name: (label, entry) for label, entry in known.items()}
    news = News({}, {})
    for path in files:
        name = file_name(path, folder)
        status = path.stat()
        label, before = latest.get(name, (name, None))
        if before and (before.size, before.mtime_ns) == (status.st_size, status.st_mtime_ns):
            continue
        content = _sha256(path)
        if before and before.sha256 == content:
            news.touched[label] = before.model_copy(update={"mtime_ns": status.st_mtime_ns})
            continue
        entry = ReadFile(name=name, size=status.st_size, mtime_ns=status.st_mtime_ns, sha256=content)
        news.to_read[Delivered(path, f"{name}#{content[:8]}" if before else name)] = entry
    return news


def file_name(path: Path, folder: Path) -> str:
    """What a delivered file is called: its path relative to the source's folder, where it lies in it."""
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.as_posix()


def last_delivered_day(source: Source, files: list[Path], lines_by_day: Counter[date]) -> date:
    """How far the source has got: from the file names where these hold the day, else from the lines per day."""
    named = [day for day in (file_day(source.files, path) for path in files) if day is not None]
    return max(named) if named else last_business_day(lines_by_day) or date.min


def reconciled(
    to_read: dict[Delivered, ReadFile], rows: Counter[str], accepted: Counter[str], rejected: Counter[str]
) -> dict[str, ReadFile]:
    """The read files by label with their counts; the Counters are by `source_file`.

    Raises: RuntimeError: if a line of a file is neither accepted nor rejected, or both.
    """
    read = {}
    for delivered, entry in to_read.items():
        counts = [_of_file(delivered.label, counter) for counter in (rows, accepted, rejected)]
        if counts[0] != counts[1] + counts[2]:
            raise RuntimeError(
                f"{delivered.path}: {counts[0]} rows read, but {counts[1]} accepted and {counts[2]} rejected; "
                "nothing is published"
            )
        fields = dict(zip(("rows", "accepted", "rejected"), counts, strict=True))
        read[delivered.label] = entry.model_copy(update=fields)
    return read


def link_days(source: Path, target: Path) -> int:
    """Take over every day (partition folder) of `source` that `target` lacks; returns how many there were.

    Hard links share the bytes between versions; where the file system has none, files are copied.
    """
    linked = 0
    for day in sorted(source.glob("sold_on=*")):
        if (target / day.name).exists():
            continue
        (target / day.name).mkdir()
        for file in day.glob("*.parquet"):
            _link(file, target / day.name / file.name)
        linked += 1
    return linked


def _of_file(label: str, counter: Counter[str]) -> int:
    """A zip archive of several files has one `source_file` per member."""
    if label in counter or not label.lower().partition("#")[0].endswith(".zip"):
        return counter[label]
    return sum(lines for file, lines in counter.items() if file.startswith(f"{label}/"))


def _link(file: Path, target: Path) -> None:
    try:
        os.link(file, target)
    except OSError:
        shutil.copy2(file, target)


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error}") from error
