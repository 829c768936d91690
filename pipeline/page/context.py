"""What every part of the page works with: settings, the alert store, the time, and who is asking."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cached_property

from sqlalchemy import Connection, Engine, select
from sqlalchemy.orm import Session

from pipeline.alerts.models import Publication
from pipeline.alerts.store import AlertStoreError, check_migrated, failing_plainly, make_engine, writing
from pipeline.page.rows import RequestError
from pipeline.settings import Settings
from pipeline.sources.source import SOURCE_NAME, Source, SourceError, load_source
from pipeline.workspace import Workspace


class NothingPublished(AlertStoreError):
    """The store has no tables yet, or no night of the source."""


def utc_now() -> datetime:
    """The time, with its zone."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Context:
    """Made once per process; connects at the first query.

    Args: now: the time with its zone. Only "is this morning's night late?" and the time of an act go by it.
    """

    settings: Settings
    now: Callable[[], datetime] = utc_now

    @cached_property
    def engine(self) -> Engine:
        """The pool of connections to the alert store."""
        return make_engine(self.settings)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to read from; NothingPublished before the first night, AlertStoreError where it fails."""
        with failing_plainly(self.engine):
            if "migrated" not in self.__dict__:
                if not check_migrated(self.engine):
                    raise NothingPublished("no night has been published yet")
                self.__dict__["migrated"] = True
            with self.engine.connect() as connection:
                yield connection

    @contextmanager
    def changing(self) -> Iterator[Session]:
        """A session in one writing transaction."""
        with failing_plainly(self.engine), writing(self.engine) as session:
            yield session

    def workspace(self, source: str) -> Workspace:
        """The source's folders. Raises: RequestError: its name, which a browser sends, could lead elsewhere."""
        if not isinstance(source, str) or not SOURCE_NAME.fullmatch(source):
            raise RequestError(f"no source is called {str(source)[:50]!r}")
        return Workspace.of(self.settings, source)

    def sources(self) -> list[str]:
        """The published sources, the configured one first; that one alone where nothing is published."""
        try:
            with self.reading() as connection:
                found = sorted(connection.scalars(select(Publication.source).distinct()))
        except NothingPublished:
            found = []
        own = self.own_source
        return sorted(found, key=lambda name: (name != own, name)) or [own]

    @cached_property
    def own_source(self) -> str:
        """The name of the source that LARDER_SOURCE describes."""
        try:
            return load_source(self.settings.source).name
        except SourceError:
            return self.settings.source

    def zone(self, source: str) -> tzinfo:
        """The time zone of the source's stores; UTC where its description is not to be found here."""
        description = self.described(source)
        return description.zone if description is not None else UTC

    def described(self, source: str) -> Source | None:
        """The description of a source; None where it is not to be found here."""
        for described_in in (self.settings.source, source):
            if described_in == source and not SOURCE_NAME.fullmatch(source):
                continue  # a browser names sources, and opens no file by it
            try:
                description = load_source(described_in)
            except SourceError:
                continue
            if description.name == source:
                return description
        return None

    def expected_night(self, source: str) -> date:
        """The business date that merchandisers may expect by now: today's, or yesterday's before the due hour."""
        local = self.now().astimezone(self.zone(source))
        is_due = local.hour >= self.settings.page.due_hour
        return local.date() if is_due else local.date() - timedelta(days=1)
