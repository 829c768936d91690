"""The alert database: opening it, its migrations, and errors that name it without its password.

SQLite by default, PostgreSQL by URL (`LARDER_DATABASE_URL=postgresql://user:password@host/database`).
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from pipeline.settings import Settings

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_SECONDS = 30
# Any number will do, as long as every Larder that migrates or publishes takes the same.
ADVISORY_LOCK = 7_201_505


class AlertStoreError(Exception):
    """The alert database cannot be used; the message names it and what to do."""


def shown(url: URL) -> str:
    """The database without password and without options, which may hold one, too."""
    return URL.create(url.drivername, url.username, None, url.host, url.port, url.database).render_as_string()


def make_engine(settings: Settings) -> Engine:
    """The engine of the alert store, not connected yet; AlertStoreError for a URL that cannot be used."""
    try:
        url = make_url(settings.alert_database_url)
        engine = create_engine(url, pool_pre_ping=True)
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError):
        # The error would repeat the URL, password included.
        raise AlertStoreError(
            "LARDER_DATABASE_URL is not the URL of a database that can be used here; "
            "expected sqlite:////path/to/alerts.db or postgresql://user:password@host/database"
        ) from None
    if engine.dialect.name == "sqlite":
        _make_folder(url)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        # What it warns of while a lost connection ends would stand beside our one line.
        logging.getLogger("psycopg").setLevel(logging.ERROR)
    return engine


@contextmanager
def failing_plainly(engine: Engine) -> Iterator[None]:
    """AlertStoreError in place of the driver's many errors."""
    try:
        yield
    except DBAPIError as error:
        cause = next(iter(str(error.orig).strip().splitlines()), type(error.orig).__name__)
        raise AlertStoreError(f"the alert store {shown(engine.url)} failed: {cause}") from None


@contextmanager
def opened(settings: Settings) -> Iterator[Engine]:
    """The engine of the alert store, closed at the end, failing plainly."""
    engine = make_engine(settings)
    try:
        with failing_plainly(engine):
            yield engine
    finally:
        engine.dispose()


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """One transaction that waits for other writers and lets readers read on."""
    with engine.connect().execution_options(larder_writes=True) as connection, connection.begin():
        hold_writers(connection)
        with Session(connection, expire_on_commit=False) as session:
            yield session
            session.flush()


def forget_log(engine: Engine) -> None:
    """Take what was deleted out of SQLite's log of changes, which holds pages as they were (PostgreSQL: its vacuum)."""
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")  # a checkpoint runs outside of the transaction that was begun for us
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.exec_driver_sql("BEGIN")


def hold_writers(connection: Connection) -> None:
    """Make other publishers and migrations wait until this transaction ends (SQLite: its BEGIN IMMEDIATE does)."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ADVISORY_LOCK})


def migrate(engine: Engine) -> str:
    """Bring the database to this version's tables; returns the revision. Nothing happens when it is there already."""
    script = _script()
    head = script.get_current_head() or ""
    with engine.connect().execution_options(larder_writes=True) as connection, connection.begin():
        hold_writers(connection)
        _refuse_newer(connection, script)
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return head


def check_migrated(engine: Engine) -> bool:
    """Whether alerts can be read: False before the first publishing; AlertStoreError for tables of another version."""
    script = _script()
    with engine.connect() as connection:
        revision = _refuse_newer(connection, script)
    if revision is not None and revision != script.get_current_head():
        raise AlertStoreError(
            f"the alert store {shown(engine.url)} has the tables of an older Larder ({revision}); "
            "run `larder alerts migrate`"
        )
    return revision is not None


def check_published(engine: Engine) -> None:
    """AlertStoreError before the first publishing, and for tables of another version."""
    if not check_migrated(engine):
        raise AlertStoreError("nothing was published yet: run `make nightly`, or `larder alerts publish`")


def _refuse_newer(connection: Connection, script: ScriptDirectory) -> str | None:
    revision = MigrationContext.configure(connection).get_current_revision()
    known = {entry.revision for entry in script.walk_revisions()}
    if revision is not None and revision not in known:
        raise AlertStoreError(
            f"the alert store {shown(connection.engine.url)} has revision {revision}, which this Larder does not know: "
            "it was migrated by a newer one; use that"
        )
    return revision


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def _script() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _make_folder(url: URL) -> None:
    try:
        Path(url.database or "").parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AlertStoreError(f"the folder of the alert store {shown(url)} cannot be made: {error.strerror}") from None


def _prepare_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    """Readers beside a writer (WAL), foreign keys, waiting for locks; transactions begun by us, not by the driver."""
    connection.isolation_level = None
    cursor = connection.cursor()
    pragmas: dict[str, object] = {"journal_mode": "WAL", "foreign_keys": "ON", "busy_timeout": BUSY_SECONDS * 1000}
    # What is erased is gone from the file, too.
    pragmas["secure_delete"] = "ON"
    # Negative: in KiB. A filter reads the whole table, of which SQLite keeps 2 MB from one reading to the next.
    pragmas["cache_size"] = -64 * 1024
    for pragma in (f"{name} = {value}" for name, value in pragmas.items()):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """A writer takes the lock at once: one that reads first and writes later fails when another wrote in between."""
    writes = connection.get_execution_options().get("larder_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
