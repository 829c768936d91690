"""Fixtures that several rooms share: one Spark session for a whole run, settings and a workspace under `tmp_path`."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from pyspark.sql import SparkSession

from pipeline.job_server.driver import PYTHON_DAEMON
from pipeline.settings import Settings
from pipeline.workspace import Workspace

# Tests time nothing: a busy machine is no reason to fail.
hypothesis.settings.register_profile("larder", deadline=None)
hypothesis.settings.load_profile("larder")

# With several processes a file goes to whichever is free: what takes longest begins first, or one waits for another.
SLOWEST_FIRST = (
    "tests/end_to_end",
    "tests/weekday_task",
    "tests/pipeline/training",
    "tests/spark_jobs",
    "tests/dags",
    "tests/pipeline/benchmarks",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow folders first, all else as collected."""
    items.sort(key=lambda item: next((n for n, name in enumerate(SLOWEST_FIRST) if item.nodeid.startswith(name)), 99))


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """The one Spark session; a job's `main()` called in a test gets this same session, so jobs never stop it."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    temporary = tmp_path_factory.mktemp("spark")  # which a killed run leaves, and pytest removes
    session = (
        SparkSession.builder.appName("tests")
        .master("local[2]")
        .config("spark.driver.memory", "1g")
        .config("spark.driver.extraJavaOptions", f"{_lean_java_options()} -Djava.io.tmpdir={temporary}")
        .config("spark.local.dir", str(temporary))
        # Every query is new and reads a few rows: Java written for it and compiled costs more than it saves. Without
        # any, the tests of build_sequences and detect_anomalies take 93 processor seconds instead of 107.
        .config("spark.sql.codegen.wholeStage", "false")
        .config("spark.sql.codegen.factoryMode", "NO_CODEGEN")
        # Nor is there anything to adapt to: planned once, the same tests take a twelfth less.
        .config("spark.sql.adaptive.enabled", "false")
        .config("spark.python.daemon.module", PYTHON_DAEMON)
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.shuffle.partitions", 2)
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
        .config("spark.sql.warehouse.dir", str(tmp_path_factory.mktemp("warehouse")))
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


def _lean_java_options() -> str:
    """Those of the night's own jobs: quick compiler, serial collector, classes from the archive of set-up."""
    options = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
    archive = Path(sys.prefix) / "spark.jsa"
    if archive.is_file():
        options += f" -XX:SharedArchiveFile={archive} -Xlog:disable -Xlog:all=error:stderr"
    return options


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings under `tmp_path`, also for code that reads them from the environment; no file of the user's is read."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LARDER_CONFIG", raising=False)
    monkeypatch.setenv("LARDER_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("LARDER_SHUFFLE_PARTITIONS", "2")
    return Settings()


@pytest.fixture
def workspace(settings: Settings) -> Workspace:
    """The folders of the simulated shop, empty."""
    return Workspace.of(settings, "shop")
