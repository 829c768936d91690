"""Versioned Parquet tables: write aside, audit, publish by an atomic pointer, roll back.

Layout of one table, all in one folder of one file system, so that renames are atomic:

    <table>/staged/<version>/data/          being written or awaiting its audit; no reader looks here
    <table>/versions/<version>/data/        published; never changes
    <table>/versions/<version>/manifest.json
    <table>/versions/<version>/PUBLISHING   there between the version's arrival and the pointer's move
    <table>/CURRENT                         the version that readers get, replaced atomically
    <table>/removed/                        what was taken out of sight by a rename and is being deleted

"Never changes" has one exception, `pipeline.lake.rewrite`, which takes a person's rows out. A folder under `versions`
without a manifest is what an interrupted removal left: no reader gets it, and it stands in nobody's way.

A version is named by the run that made it. Why not overwrite in place: a reader then sees a bad state during most of
the rewrite, and a kill loses the old data. Why the marker: a run killed between the two steps of publishing must not
find its version published when it comes again, or the pointer would never move.
"""

import fcntl
import json
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from pipeline.files import move, replace_text, sync, write_durably
from pipeline.lake import claims
from pipeline.lake.removal import empty, remove
from pipeline.tables.catalog import table as contract

MARKER = "PUBLISHING"
# Names a folder, so it must not lead out of the one it belongs to.
VERSION_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,200}")


class LakeError(Exception):
    """A version is not there, or may not be published."""


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

    def claim(self, table: str, version: str) -> None:
        """Take the right to write, audit and publish a version; kept until it is published or this process ends.

        Raises: LakeError: another process has it, such as an earlier attempt of the same run that is still alive.
        """
        _claim(self._staged(table, version))

    def stage(self, table: str, version: str) -> Path:
        """A folder `data` to write a new version into; what an ended attempt staged there is taken away whole.

        Raises: LakeError: another process holds the version, or it is published: a version never changes.
        """
        contract(table)
        staged = self._staged(table, version)
        self.claim(table, version)
        with self.locked(table):
            if self.is_published(table, version):
                claims.release(staged)
                raise LakeError(f"table {table} has version {version} already; another attempt published it")
            remove(staged, self._removed(table))
            staged.mkdir()
        return staged / "data"

    def describe(self, manifest: Manifest) -> None:
        """Write the manifest of a staged version: the last step of writing, so its presence means complete."""
        path = self._staged(manifest.table, manifest.version) / "manifest.json"
        replace_text(path, manifest.model_dump_json(indent=1))

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
        if self.is_published(table, version):
            return
        self.claim(table, version)
        with self.locked(table):
            if not self.is_published(table, version):
                self._arrive(table, version)
                if self._moves_readers(self.manifest(table, version)):
                    self._point(table, version)
                (self._published(table, version) / MARKER).unlink()
                sync(self._published(table, version))
        claims.release(self._staged(table, version))

    def _arrive(self, table: str, version: str) -> None:
        """Move a staged version among the published ones, marked until the pointer has moved."""
        published, staged = self._published(table, version), self._staged(table, version)
        if not self._is_readable(table, version):
            self.staged_path(table, version)
            remove(published, self._removed(table))
            write_durably(staged / MARKER, "")
            os.utime(staged)  # `versions` orders by it
            published.parent.mkdir(parents=True, exist_ok=True)
            move(staged, published)
        remove(staged, self._removed(table))  # written again after a kill just here

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
            with suppress(FileNotFoundError):  # also one that expires just now
                return Manifest.model_validate(json.loads((folder / "manifest.json").read_text()))
        raise LakeError(f"table {table} has no version {version}, staged or published, under {self.root}")

    def folders(self, table: str) -> list[Path]:
        """Every version's folder, published or staged, complete or not."""
        return sorted([*self._entries(table, "versions"), *self._entries(table, "staged")])

    def versions(self, table: str) -> list[str]:
        """Published versions, oldest first by time of publishing."""
        folder = self.root / table / "versions"
        return _oldest_first(entry.parent for entry in folder.glob("*/manifest.json"))

    def latest_before(self, manifest: Manifest) -> Manifest | None:
        """The published version that `manifest`'s one follows: the current one, or, when that is of a later night and
        the table is not cumulative, the newest of no later night."""
        cumulative = contract(manifest.table).cumulative
        others = []
        for name in self.versions(manifest.table):
            with suppress(LakeError):  # expired just now
                others.append(self.manifest(manifest.table, name))
        earlier = [
            other
            for other in others
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

        Of a table with `keep_days` those of the days up to its latest business date stay as well.
        Of refused and abandoned versions under `staged` the newest `keep` stay, too; what killed attempts and removals
        left goes. Files that versions share by hard links (the unchanged days of transactions) live on in the versions
        that stay.
        """
        with self.locked(table):
            empty(self._removed(table))
            for aside in (self.root / table).glob(".CURRENT.*.tmp"):
                aside.unlink(missing_ok=True)
            current = self.current(table)
            known = self.versions(table)
            stays = {current, *known[-keep:], *self._of_last_days(table, known)}
            old = [version for version in known if version not in stays]
            for entry in self._entries(table, "versions"):
                if entry.name in old or entry.name not in known:
                    remove(entry, self._removed(table))
            staged = self._entries(table, "staged")
            complete = _oldest_first(entry for entry in staged if (entry / "manifest.json").is_file())
            for entry in staged:
                if entry.name not in complete[-keep:]:
                    self._discard(entry)
        return old

    def _of_last_days(self, table: str, versions: list[str]) -> list[str]:
        """Those of the contract's `keep_days` before the latest business date of them, and of that date."""
        days = contract(table).keep_days
        if days == 0 or not versions:
            return []
        dates = {version: self.manifest(table, version).business_date for version in versions}
        since = max(dates.values()) - timedelta(days=days)
        return [version for version, business_date in dates.items() if business_date >= since]

    def discard_unfinished(self, table: str) -> None:
        """Remove what killed attempts and removals left behind; called with the table's lock held.

        Raises: LakeError: another process is writing or auditing a version right now.
        """
        empty(self._removed(table))
        for entry in self._entries(table, "staged"):
            _claim(entry)
            if not (entry / "manifest.json").is_file():
                remove(entry, self._removed(table))
            claims.release(entry)

    def _discard(self, staged: Path) -> None:
        """Remove a staged version, unless another process is at work on it."""
        if claims.claim(staged):
            remove(staged, self._removed(staged.parent.parent.name))
            claims.release(staged)

    def _entries(self, table: str, kind: str) -> list[Path]:
        return [entry for entry in (self.root / table / kind).glob("*") if entry.is_dir()]

    def _is_readable(self, table: str, version: str) -> bool:
        return (self._published(table, version) / "manifest.json").is_file()

    def _moves_readers(self, manifest: Manifest) -> bool:
        current = self.current(manifest.table)
        if current is None or contract(manifest.table).cumulative:
            return True
        return manifest.business_date >= self.manifest(manifest.table, current).business_date

    def _point(self, table: str, version: str) -> None:
        replace_text(self.root / table / "CURRENT", version + "\n")

    def _staged(self, table: str, version: str) -> Path:
        return self.root / table / "staged" / _checked(version)

    def _published(self, table: str, version: str) -> Path:
        return self.root / table / "versions" / _checked(version)

    def _removed(self, table: str) -> Path:
        return self.root / table / "removed"

    @contextmanager
    def locked(self, table: str) -> Iterator[None]:
        """Hold the table's lock: nothing of it is published, pointed at, expired or rewritten meanwhile."""
        folder = self.root / table
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _checked(version: str) -> str:
    if not VERSION_NAME.fullmatch(version):
        raise LakeError(f"{version!r} names no version: letters, digits, dot, dash and underscore only")
    return version


def _claim(staged: Path) -> None:
    if not claims.claim(staged):
        raise LakeError(f"{staged} is being written by another process; wait for it or end it")


def _oldest_first(entries: Iterable[Path]) -> list[str]:
    """Names of version folders by time of publishing; one that expires meanwhile is left out."""
    aged = []
    for entry in entries:
        with suppress(FileNotFoundError):
            aged.append((entry.stat().st_mtime_ns, entry.name))
    return [name for _, name in sorted(aged)]
