"""The alert store migrates itself, refuses what it does not know, and never shows a password."""

import logging
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from pydantic import SecretStr
from sqlalchemy import inspect, text

from pipeline.alerts.models import Base
from pipeline.alerts.queries import open_alerts
from pipeline.alerts.store import AlertStoreError, _config, check_migrated, make_engine, migrate, opened
from pipeline.settings import Settings


def test_the_migrations_make_the_tables_of_the_models(store_settings: Settings) -> None:
    with opened(store_settings) as engine:
        migrate(engine)

        def is_for_it(thing: Any, _name: object, kind: str, *_rest: object) -> bool:
            asked = thing._ddl_if if kind == "index" else None
            return not asked or asked.dialect == engine.dialect.name

        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"include_object": is_for_it})
            assert compare_metadata(context, Base.metadata) == []


def test_migrating_again_changes_nothing(store_settings: Settings) -> None:
    with opened(store_settings) as engine:
        assert migrate(engine) == migrate(engine)
        assert check_migrated(engine)


def test_the_migrations_can_be_undone(store_settings: Settings) -> None:
    with opened(store_settings) as engine:
        migrate(engine)
        with engine.connect() as connection, connection.begin():
            config = _config()
            config.attributes["connection"] = connection
            command.downgrade(config, "base")
        assert inspect(engine).get_table_names() == ["alembic_version"]


def test_an_interrupted_migration_leaves_nothing(store_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    upgrade = command.upgrade

    def upgrade_and_die(*arguments: object) -> None:
        upgrade(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "upgrade", upgrade_and_die)
    with opened(store_settings) as engine:
        with pytest.raises(KeyboardInterrupt):
            migrate(engine)
        assert inspect(engine).get_table_names() == []


def test_a_store_of_a_newer_larder_is_refused(store_settings: Settings) -> None:
    with opened(store_settings) as engine:
        migrate(engine)
        with engine.connect() as connection, connection.begin():
            connection.execute(text("UPDATE alembic_version SET version_num = 'of the future'"))
        for use in (migrate, check_migrated):
            with pytest.raises(AlertStoreError, match="migrated by a newer one"):
                use(engine)


def test_reading_before_the_first_publishing_says_so(store_settings: Settings) -> None:
    with pytest.raises(AlertStoreError, match="nothing was published yet"):
        open_alerts(store_settings, kind="stockout", source="shop")


def test_an_unknown_source_names_the_published_ones(settings: Settings) -> None:
    with opened(settings) as engine:
        migrate(engine)
    with pytest.raises(AlertStoreError, match="no alerts of source 'shop' for any night were published"):
        open_alerts(settings, kind="stockout", source="shop")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://larder:hush@127.0.0.1:1/larder?password=hush",
        "postgresql://larder:hush@127.0.0.1:notaport/larder",
        "mysql+nodriver://larder:hush@db/larder",
        "larder:hush@db",
        "sqlite:////proc/larder/alerts.db?password=hush",
    ],
)
def test_a_wrong_url_is_one_line_without_its_password(
    url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LARDER_DATABASE_URL", url)
    with pytest.raises(AlertStoreError) as refused, opened(Settings()) as engine:
        migrate(engine)
    message = str(refused.value)
    assert "\n" not in message
    assert "hush" not in message
    assert refused.value.__cause__ is None


def test_the_wrong_password_is_not_shown(postgres_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    url = postgres_settings.alert_database_url.replace("shelf-life", "half-life")
    monkeypatch.setenv("LARDER_DATABASE_URL", url)
    with (
        pytest.raises(AlertStoreError, match="password authentication failed") as refused,
        opened(Settings()) as engine,
    ):
        migrate(engine)
    assert "half-life" not in str(refused.value)


def test_the_default_store_is_made_with_its_folder(settings: Settings) -> None:
    with opened(settings) as engine:
        migrate(engine)
    assert (Path(settings.data_dir) / "alerts.db").is_file()


def test_what_the_driver_warns_of_a_lost_connection_is_not_printed(caplog: pytest.LogCaptureFixture) -> None:
    make_engine(Settings(database_url=SecretStr("postgresql://user:hush@127.0.0.1/larder"))).dispose()
    logging.getLogger("psycopg").warning("error ignored terminating <psycopg.Pipeline [BAD]>: the connection is lost")
    assert caplog.records == []
