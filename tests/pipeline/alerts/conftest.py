"""Alert stores to test against, and a lake with one published run."""

from collections.abc import Iterator
from itertools import count

import psycopg
import pytest

from pipeline.settings import Settings
from pipeline.workspace import Workspace
from tests.factories import anomaly, basket, prediction, product, stockout, transaction
from tests.pipeline.alerts.postgres import cluster
from tests.pipeline.alerts.shop_nights import Nights
from tests.published_tables import publish_rows

_databases = count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL that lives as long as the tests."""
    with cluster() as url:
        yield url


@pytest.fixture
def postgres_settings(postgres: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings with an empty PostgreSQL database as alert store."""
    name = f"larder_{next(_databases)}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    monkeypatch.setenv("LARDER_DATABASE_URL", postgres.replace("/postgres?", f"/{name}?"))
    return Settings()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def store_settings(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    """Settings with an empty alert store of each kind."""
    return request.getfixturevalue("postgres_settings") if request.param == "postgres" else settings


@pytest.fixture
def run(workspace: Workspace) -> Workspace:
    """A lake in which `run1` made one stock-out and one anomaly."""
    publish_rows(workspace, "transactions", transaction())
    publish_rows(workspace, "baskets", basket())
    publish_rows(workspace, "products", product())
    publish_rows(workspace, "predictions", prediction())
    publish_rows(workspace, "stockouts", stockout())
    publish_rows(workspace, "anomalies", anomaly())
    return workspace


@pytest.fixture
def nights(settings: Settings, run: Workspace) -> Nights:
    """Nights to publish into an empty SQLite store."""
    return Nights(settings, run)


@pytest.fixture
def stored_nights(store_settings: Settings, run: Workspace) -> Nights:
    """Nights to publish into an empty store of each kind."""
    return Nights(store_settings, run)
