"""Versioned Parquet tables: write aside, audit, publish by an atomic pointer, roll back.

Layout of one table, all in one folder of one file system, so that renames are atomic:

    <table>/staged/<version>/data/          being written or awaiting its audit; no reader looks here
    <table>/versions/<version>/data/        published; never changes
    <table>/versions/<version>/manifest.json
    <table>/versions/<version>/PUBLISHING   there between the version's arrival and the pointer's move
    <table>/CURRENT                         the version that readers get, replaced atomically

"Never changes" has one exception, `pipeline.lake.rewrite`, which takes a person's rows out.

A version is named by the run that made it. Why not overwrite in place: a reader then sees a bad state during most of
the rewrite, and a kill loses the old data. Why the marker: a run killed between the two steps of publishing must not
find its version published when it comes again, or the pointer would never move.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from pipeline.files import move, replace_text, sync, write_durably
from pipeline.tables.catalog import table as contract

MARKER = "PUBLISHING"
# Open locks of the versions that this process is writing.
_CLAIMS: dict[Path, int] = {}


class LakeError(Exception):
    """A version that is asked for is not there, or may not be published."""


class Manifest(BaseModel):
    """What a version is and what it was made from."""

    table: str
    version: str
    business_date: date
    rows: int
    inputs: dict[str, str] = {}
    details: dict[str, Any] = {}


class Lake:
    """All tables of one source."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def stage(self, table: str, version: str) -> Path:
        """A folder `data` to write a new version into; what a killed attempt left there is removed.

        Until the version is described, or this process ends, no other process may stage the same version: two attempts
        of one run writing into one folder would double its rows.
        """
        contract(table)
        staged = self._staged(table, version)
        self._claim(staged)
        if staged.exists():
            shutil.rmtree(staged)
        staged.mkdir()
        return staged / "data"

    def describe(self, manifest: Manifest) -> None:
        """Write the manifest of a staged version: the last step of writing, so its presence means complete."""
        path = self._staged(manifest.table, manifest.version) / "manifest.json"
        replace_text(path, manifest.model_dump_json(indent=1))
        if claim := _CLAIMS.pop(path.parent, None):
            os.close(claim)

    def staged_path(self, table: str, version: str) -> Path:
        """The data of a completely written staged version."""
        staged = self._staged(table, version)
        if not (staged / "manifest.json").is_file():
            raise LakeError(f"table {table} has no complete staged version {version} under {staged}")
        return staged / "data"

    def is_staged(self, table: str, version: str) -> bool:
        """Whether that version is written and awaits its audit."""
        return (self._staged(table, version) / "manifest.json").is_file()

    def is_published(self, table: str, version: str) -> bool:
        """Whether that version's publishing is complete, so that nothing of it needs doing again."""
        published = self._published(table, version)
        return (published / "manifest.json").is_file() and not (published / MARKER).exists()

    def publish(self, table: str, version: str) -> None:
        """Make an audited staged version readable, and current unless the current one is of a later night.

        A backfill of an old night is thus readable by its name and never moves readers backwards; a cumulative table
        always moves. Repeating it changes nothing, not even after a rollback.
        """
        with self.locked(table):
            if self.is_published(table, version):
                return
            published = self._published(table, version)
            if not published.exists():
                staged = self.staged_path(table, version).parent
                write_durably(staged / MARKER, "")
                os.utime(staged)  # `versions` orders by it
                published.parent.mkdir(parents=True, exist_ok=True)
                move(staged, published)
            shutil.rmtree(self._staged(table, version), ignore_errors=True)  # written again after a kill just here
            _lock_of(self._staged(table, version)).unlink(missing_ok=True)
            if self._moves_readers(self.manifest(table, version)):
                self._point(table, version)
            (published / MARKER).unlink()
            sync(published)

    def current(self, table: str) -> str | None:
        """The version that readers get, or None before the first."""
        pointer = self.root / table / "CURRENT"
        return pointer.read_text().strip() if pointer.is_file() else None

    def resolve(self, table: str, version: str | None = None) -> str:
        """`version` if it is published, else the current one.

        A job passes its own run: it reads what its run made, and the current version of what its run did not make.
        """
        if version is not None and self._is_readable(table, version):
            return version
        current = self.current(table)
        if current is None:
            raise LakeError(f"table {table} has no published version under {self.root}; run the job that makes it")
        return current

    def path(self, table: str, version: str) -> Path:
        """The data of a published version."""
        if not self._is_readable(table, version):
            known = ", ".join(self.versions(table)) or "none"
            raise LakeError(f"table {table} has no published version {version}; published: {known}")
        return self._published(table, version) / "data"

    def manifest(self, table: str, version: str) -> Manifest:
        """The manifest of a published or staged version."""
        for folder in (self._published(table, version), self._staged(table, version)):
            if (folder / "manifest.json").is_file():
                return Manifest.model_validate(json.loads((folder / "manifest.json").read_text()))
        raise LakeError(f"table {table} has no version {version}, staged or published, under {self.root}")

    def folders(self, table: str) -> list[Path]:
        """Every version's folder, published or staged, complete or not."""
        root = self.root / table
        return sorted(entry for entry in [*root.glob("versions/*"), *root.glob("staged/*")] if entry.is_dir())

    def versions(self, table: str) -> list[str]:
        """Published versions, oldest first by time of publishing."""
        folder = self.root / table / "versions"
        found = [entry.parent for entry in folder.glob("*/manifest.json")]
        return [entry.name for entry in sorted(found, key=_age)]

    def latest_before(self, manifest: Manifest) -> Manifest | None:
        """The published version that `manifest`'s one follows: the current one, or, when that is of a later night and
        the table is not cumulative, the newest of no later night."""
        cumulative = contract(manifest.table).cumulative
        earlier = [
            other
            for other in (self.manifest(manifest.table, name) for name in self.versions(manifest.table))
            if other.version != manifest.version and (cumulative or other.business_date <= manifest.business_date)
        ]
        current = self.current(manifest.table)
        return next(
            (other for other in earlier if other.version == current),
            max(earlier, key=lambda other: other.business_date, default=None),
        )

    def rollback(self, table: str, version: str) -> None:
        """Point readers at an earlier published version; nothing is deleted."""
        with self.locked(table):
            self.path(table, version)
            self._point(table, version)

    def expire(self, table: str, keep: int) -> list[str]:
        """Remove all but the newest `keep` versions, never the current one; returns what was removed.

        Of refused and abandoned versions under `staged` the newest `keep` stay, too. Files that versions share by hard
        links (the unchanged days of transactions) live on in the versions that stay.
        """
        with self.locked(table):
            current = self.current(table)
            old = [version for version in self.versions(table)[:-keep] if version != current]
            for version in old:
                # Out of sight first, so that a kill leaves no half of a version readable.
                (self._published(table, version) / "manifest.json").unlink()
                shutil.rmtree(self._published(table, version))
            staged = [entry for entry in (self.root / table / "staged").glob("*") if entry.is_dir()]
            for abandoned in sorted(staged, key=_age)[:-keep]:
                shutil.rmtree(abandoned)
                _lock_of(abandoned).unlink(missing_ok=True)
        return old

    def discard_unfinished(self, table: str) -> None:
        """Remove what killed attempts left staged; LakeError where another process is writing right now."""
        for staged in [folder for folder in self.folders(table) if folder.parent.name == "staged"]:
            if not (staged / "manifest.json").is_file():
                self._claim(staged)
                shutil.rmtree(staged)
                os.close(_CLAIMS.pop(staged))
                _lock_of(staged).unlink(missing_ok=True)

    def _is_readable(self, table: str, version: str) -> bool:
        return (self._published(table, version) / "manifest.json").is_file()

    def _moves_readers(self, manifest: Manifest) -> bool:
        current = self.current(manifest.table)
        if current is None or contract(manifest.table).cumulative:
            return True
        return manifest.business_date >= self.manifest(manifest.table, current).business_date

    def _claim(self, staged: Path) -> None:
        """Hold the right to write `staged`; the system drops it when this process ends, however it ends."""
        if staged in _CLAIMS:
            return
        staged.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(_lock_of(staged), os.O_WRONLY | os.O_CREAT, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise LakeError(f"{staged} is being written by another process; wait for it or end it") from None
        _CLAIMS[staged] = handle

    def _point(self, table: str, version: str) -> None:
        replace_text(self.root / table / "CURRENT", version + "\n")

    def _staged(self, table: str, version: str) -> Path:
        return self.root / table / "staged" / version

    def _published(self, table: str, version: str) -> Path:
        return self.root / table / "versions" / version

    @contextmanager
    def locked(self, table: str) -> Iterator[None]:
        """Hold the table's lock: nothing of it is published, pointed at, expired or rewritten meanwhile."""
        folder = self.root / table
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _lock_of(staged: Path) -> Path:
    return staged.with_name(f".{staged.name}.lock")


def _age(entry: Path) -> tuple[int, str]:
    return entry.stat().st_mtime_ns, entry.name
