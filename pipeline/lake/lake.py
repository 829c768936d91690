"""Versioned Parquet tables: write aside, audit, publish by an atomic pointer, roll back.

Layout of one table, all in one folder of one file system, so that renames are atomic:

    <table>/staged/<version>/data/          being written or awaiting its audit; no reader looks here
    <table>/versions/<version>/data/        published; never changes
    <table>/versions/<version>/manifest.json
    <table>/CURRENT                         the version that readers get, replaced atomically

A version is named by the run that made it. Why not overwrite in place: a reader then sees a bad state during most of
the rewrite, and a kill loses the old data.
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

from pipeline.tables.catalog import table as contract


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
        """An empty folder `data` to write a new version into; what a killed attempt left there is removed."""
        contract(table)
        staged = self._staged(table, version)
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir(parents=True)
        return staged / "data"

    def describe(self, manifest: Manifest) -> None:
        """Write the manifest of a staged version: the last step of writing, so its presence means complete."""
        path = self._staged(manifest.table, manifest.version) / "manifest.json"
        aside = path.with_suffix(".tmp")
        aside.write_text(manifest.model_dump_json(indent=1))
        aside.replace(path)

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
        """Whether that version is readable."""
        return (self._published(table, version) / "manifest.json").is_file()

    def publish(self, table: str, version: str, *, make_current: bool = True) -> None:
        """Make an audited staged version readable and, unless told otherwise, current. Repeating it changes nothing."""
        with self._locked(table):
            if not self.is_published(table, version):
                self.staged_path(table, version)
                published = self._published(table, version)
                published.parent.mkdir(parents=True, exist_ok=True)
                self._staged(table, version).rename(published)
                _sync(published.parent)
            if make_current:
                self._point(table, version)

    def current(self, table: str) -> str | None:
        """The version that readers get, or None before the first."""
        pointer = self.root / table / "CURRENT"
        return pointer.read_text().strip() if pointer.is_file() else None

    def resolve(self, table: str, version: str | None = None) -> str:
        """`version` if it is published, else the current one.

        A job passes its own run: it reads what its run made, and the current version of what its run did not make.
        """
        if version is not None and self.is_published(table, version):
            return version
        current = self.current(table)
        if current is None:
            raise LakeError(f"table {table} has no published version under {self.root}; run the job that makes it")
        return current

    def path(self, table: str, version: str) -> Path:
        """The data of a published version."""
        if not self.is_published(table, version):
            known = ", ".join(self.versions(table)) or "none"
            raise LakeError(f"table {table} has no published version {version}; published: {known}")
        return self._published(table, version) / "data"

    def manifest(self, table: str, version: str) -> Manifest:
        """The manifest of a published or staged version."""
        for folder in (self._published(table, version), self._staged(table, version)):
            if (folder / "manifest.json").is_file():
                return Manifest.model_validate(json.loads((folder / "manifest.json").read_text()))
        raise LakeError(f"table {table} has no version {version}")

    def versions(self, table: str) -> list[str]:
        """Published versions, oldest first by time of publishing."""
        folder = self.root / table / "versions"
        found = [entry for entry in folder.iterdir() if (entry / "manifest.json").is_file()] if folder.is_dir() else []
        return [entry.name for entry in sorted(found, key=lambda entry: (entry.stat().st_mtime_ns, entry.name))]

    def rollback(self, table: str, version: str) -> None:
        """Point readers at an earlier published version; nothing is deleted."""
        self.path(table, version)
        with self._locked(table):
            self._point(table, version)

    def expire(self, table: str, keep: int) -> list[str]:
        """Remove all but the newest `keep` versions, never the current one; returns what was removed."""
        with self._locked(table):
            current = self.current(table)
            old = [version for version in self.versions(table)[:-keep] if version != current]
            for version in old:
                shutil.rmtree(self._published(table, version))
        return old

    def _point(self, table: str, version: str) -> None:
        pointer = self.root / table / "CURRENT"
        aside = pointer.with_name(f".CURRENT.{os.getpid()}")
        with aside.open("w") as file:
            file.write(version + "\n")
            file.flush()
            os.fsync(file.fileno())
        aside.replace(pointer)
        _sync(pointer.parent)

    def _staged(self, table: str, version: str) -> Path:
        return self.root / table / "staged" / version

    def _published(self, table: str, version: str) -> Path:
        return self.root / table / "versions" / version

    @contextmanager
    def _locked(self, table: str) -> Iterator[None]:
        folder = self.root / table
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _sync(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
