"""What is new since the version before: files by their content, days by the files that hold them.

A file is known by name, size and time, and if one of these moved, by its content. What was read stands in the manifest
of `transactions`, so that after a rollback, or when a run was refused, the same files are simply read again.
"""

import hashlib
import os
import re
import shutil
from collections import Counter
from collections.abc import Container, Mapping
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.compute as pc
import pyarrow.dataset as ds
from pydantic import BaseModel

from pipeline.lake.lake import Lake
from pipeline.sources.last_day import last_business_day, last_connected_day
from pipeline.sources.opened import Delivered, skipped_members
from pipeline.sources.source import Source, SourceError, file_day
from pipeline.sources.usable_lines import REPEATED
from pipeline.tables.rejected_transactions import REJECTED_TRANSACTIONS
from pipeline.tables.transactions import TRANSACTIONS
from pipeline.workspace import Workspace


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
    """What a night has to do: files to read, and known files that only their time changed of.

    `earlier` are the labels under which files that are read now were read before, each with its label of now.
    """

    to_read: dict[Delivered, ReadFile]
    touched: dict[str, ReadFile]
    earlier: dict[str, str]

    def without(self, labels: Container[str]) -> "News":
        """All but some files, which thus stay new until they can be read."""
        return News(
            {delivered: entry for delivered, entry in self.to_read.items() if delivered.label not in labels},
            self.touched,
            {before: now for before, now in self.earlier.items() if now not in labels},
        )


def new_files(
    files: list[Path], folder: Path, known: dict[str, ReadFile], repeating: Mapping[str, Container[str]] | None = None
) -> News:
    """Compare the delivered files with the known ones.

    A label is the file's name relative to `folder`; where that name stood for other content before, `#` and eight
    digits of the content's hash follow, so that a label and a line number always mean one line.

    Args:   known: by label, in the order in which they were read.
            repeating: by label the labels of files of which lines were refused as equal to lines of that one. Where
            that one changed they are read again, since what they repeat may be gone.
    Raises: SourceError: naming a file that cannot be read.
    """
    latest = {entry.name: (label, entry) for label, entry in known.items()}
    labels: dict[str, list[str]] = {}
    for label, entry in known.items():
        labels.setdefault(entry.name, []).append(label)
    news, unchanged = News({}, {}, {}), {}
    for path in files:
        name = file_name(path, folder)
        status = path.stat()
        label, before = latest.get(name, (name, None))
        if before and (before.size, before.mtime_ns) == (status.st_size, status.st_mtime_ns):
            unchanged[label] = (path, before)
            continue
        content = _sha256(path)
        if before and before.sha256 == content:
            news.touched[label] = before.model_copy(update={"mtime_ns": status.st_mtime_ns})
            unchanged[label] = (path, news.touched[label])
            continue
        entry = ReadFile(name=name, size=status.st_size, mtime_ns=status.st_mtime_ns, sha256=content)
        now = f"{name}#{content[:8]}" if before else name
        news.to_read[Delivered(path, now)] = entry
        news.earlier.update(dict.fromkeys(labels.get(name, []), now))
    changed = [(repeating or {}).get(label, ()) for label in news.earlier]
    for label, (path, entry) in unchanged.items():
        if not any(label in others for others in changed):
            continue
        news.to_read[Delivered(path, label)] = entry
        news.earlier[label] = label
    return news


def repeating_files(lake: Lake, known: Container[str]) -> dict[str, set[str]]:
    """By label the labels of files of which lines were refused as equal to lines of that file."""
    version = lake.current(REJECTED_TRANSACTIONS.name)
    if version is None:
        return {}
    refused = ds.dataset(lake.path(REJECTED_TRANSACTIONS.name, version), format="parquet")
    repeated = refused.to_table(["source_file", "value"], filter=ds.field("reason") == REPEATED)
    first = pc.replace_substring_regex(repeated["value"], r"^equal to (.*) line \d+$", r"\1")
    found: dict[str, set[str]] = {}
    for file, other in set(zip(first.to_pylist(), repeated["source_file"].to_pylist(), strict=True)):
        found.setdefault(label_in(file, known), set()).add(label_in(other, known))
    return found


def label_in(source_file: str, known: Container[str]) -> str:
    """The file's label; a member of a zip archive is named behind the archive's."""
    label = source_file
    while label not in known and "/" in label:
        label = label.rpartition("/")[0]
    return label if label in known else source_file


def label_of(source_file: str) -> str:
    """The name that a label begins with, without the digits that tell contents apart."""
    return re.sub("#[0-9a-f]{8}$", "", source_file)


def file_name(path: Path, folder: Path) -> str:
    """What a delivered file is called: its path relative to the source's folder, where it lies in it."""
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.as_posix()


def skipped_files(source: Source, workspace: Workspace) -> list[str]:
    """What lies among the sales files and their archives' members and is no delivery, by name."""
    folder = source.folder(workspace)
    beside = [file_name(path, folder) for path in source.matching(source.files, workspace, leftovers=True)]
    inside = [
        f"{file_name(path, folder)}/{member}"
        for path in source.matching(source.files, workspace)
        for member in skipped_members(path)
    ]
    return sorted(beside + inside)


def last_delivered_day(source: Source, files: list[Path], lines_by_day: Counter[date], business_date: date) -> date:
    """How far the source has got: from the file names where these hold the day, else from the lines per day.

    A whole file that a wrong clock dated years after the business date is not how far it has got.
    """
    named = [day for day in (file_day(source.files, path) for path in files) if day is not None]
    if named:
        return max(named)
    last = last_business_day(lines_by_day) or date.min
    return min(last, last_connected_day(lines_by_day, business_date) or last)


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


def link_days(source: Path, target: Path, changed: Container[date] = ()) -> int:
    """Take over every day (partition folder) of `source` that `target` lacks, but those that `changed`.

    Returns how many there were.

    Hard links share the bytes between versions; where the file system has none, files are copied.
    """
    linked = 0
    for day in sorted(source.glob("sold_on=*")):
        if (target / day.name).exists() or date.fromisoformat(day.name.partition("=")[2]) in changed:
            continue
        (target / day.name).mkdir()
        for file in day.glob("*.parquet"):
            _link(file, target / day.name / file.name)
        linked += 1
    return linked


def _of_file(label: str, counter: Counter[str]) -> int:
    """A zip archive of several files has one `source_file` per member."""
    if label in counter or not label_of(label).lower().endswith(".zip"):
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
