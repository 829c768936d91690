"""A job that is killed while it writes and started again leaves the same table as one that nobody disturbed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from pipeline.lake.lake import Lake
from pipeline.settings import REPOSITORY
from tests.end_to_end.conftest import FinishedNight

pytestmark = pytest.mark.end_to_end

JOBS = [
    ("ingest_transactions", "transactions"),
    ("build_baskets", "baskets"),
    ("build_sequences", "sequences"),
    ("detect_stockouts", "stockouts"),
]


@pytest.mark.parametrize(("job", "table"), JOBS)
def test_killed_while_writing_and_started_again(finished_night: FinishedNight, job: str, table: str) -> None:
    lake, again = finished_night.workspace.lake, f"again-{job}"
    before = lake.current(table)

    killed = _start(finished_night, job, again)
    _wait_until_writing(killed, lake.root / table / "staged" / again)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    assert lake.current(table) == before, "readers saw a version that was never finished"
    assert not lake.is_published(table, again)

    restarted = _start(finished_night, job, again)
    output, _ = restarted.communicate()
    assert restarted.returncode == 0, output[-4000:]
    assert _content(_data(lake, table, again)) == _content(lake.path(table, finished_night.name))


def _start(night: FinishedNight, job: str, run_id: str) -> "subprocess.Popen[str]":
    arguments = ["--source", "shop", "--business-date", str(night.business_date), "--run-id", run_id]
    return subprocess.Popen(
        [sys.executable, str(REPOSITORY / "spark_jobs" / f"{job}.py"), *arguments],
        env={**night.environment, "PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"},
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def _wait_until_writing(process: "subprocess.Popen[str]", staged: Path) -> None:
    while process.poll() is None and not staged.exists():
        time.sleep(0.01)
    if process.poll() is not None:
        pytest.fail(f"the job ended before it wrote anything:\n{process.communicate()[0][-4000:]}")


def _data(lake: Lake, table: str, run_id: str) -> Path:
    return lake.path(table, run_id) if lake.is_published(table, run_id) else lake.staged_path(table, run_id)


def _content(folder: Path) -> tuple[int, int]:
    """Rows and an order-independent hash of all columns."""
    query = f"SELECT count(*), bit_xor(hash(t)) FROM read_parquet('{folder}/**/*.parquet') t"
    rows: tuple[int, int] = duckdb.sql(query).fetchall()[0]
    return rows
