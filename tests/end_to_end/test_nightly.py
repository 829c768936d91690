"""The whole night through Airflow: raw files in, alerts out, every stage on record; and one that is killed on its way.

One file, because the tests of a file run in one process and share its night.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import duckdb
import psutil
import pytest

from pipeline.alerts.queries import open_alerts, publications
from pipeline.evaluation.scorecard import CANDIDATE, CHAMPION, Scorecard
from pipeline.settings import REPOSITORY, Settings
from pipeline.stages import read_stages
from pipeline.tables.catalog import TABLES
from pipeline.training.history import read_history
from pipeline.workspace import Workspace
from tests.end_to_end.conftest import FinishedNight, larder

pytestmark = pytest.mark.end_to_end

STAGES = [
    "ingest_transactions",
    "validate_transactions",
    "ingest_products",
    "ingest_stock",
    "build_baskets",
    "build_sequences",
    "validate_sequences",
    "train_model",
    "promote_model",
    "predict_baskets",
    "validate_predictions",
    "forecast_demand",
    "detect_stockouts",
    "detect_anomalies",
    "segment_funnels",
    "publish_alerts",
]

NAMED_AFTER_THE_RUN = {"run_id", "data_version"}
KILLED_DURING = ("ingest_transactions", "build_sequences", "train_model", "detect_stockouts")


def test_every_stage_ran_once_and_is_shown_with_its_seconds(finished_night: FinishedNight) -> None:
    done = [stage.name for stage in read_stages(finished_night.folder) if stage.status == "done"]
    assert sorted(done) == sorted(STAGES)
    assert done.index("segment_funnels") > done.index("publish_alerts")
    for stage in STAGES:
        assert re.search(rf"^{stage} +[\d,-]+ +[\d,-]+ +\d+\.\d$", finished_night.output, re.MULTILINE), stage


def test_every_table_is_published_under_the_nights_name(finished_night: FinishedNight) -> None:
    lake = finished_night.workspace.lake
    assert [name for name in TABLES if not lake.is_published(name, finished_night.name)] == []
    assert [name for name in TABLES if lake.current(name) is None] == []


def test_every_line_is_accepted_or_rejected(finished_night: FinishedNight) -> None:
    lake, run = finished_night.workspace.lake, finished_night.name
    done = [stage for stage in read_stages(finished_night.folder) if stage.status == "done"]
    kept = sum(lake.manifest(table, run).rows for table in ("transactions", "rejected_transactions"))
    assert next(stage.rows_in for stage in done if stage.name == "ingest_transactions") == kept > 0


def test_the_scorecard_holds_the_candidate_against_the_baselines(finished_night: FinishedNight) -> None:
    card = Scorecard.read(finished_night.workspace.task_folder(finished_night.name, "next_basket"))
    assert {CANDIDATE, "global_top", "personal_top"} <= set(card.models)
    assert card.customers > 0
    assert "Scorecard" in finished_night.output


def test_alerts_are_published_and_shown(finished_night: FinishedNight) -> None:
    settings, day = finished_night.settings, finished_night.business_date
    assert [night.run_id for night in publications(settings, "shop")] == [finished_night.name]
    for alert in open_alerts(settings, kind="stockout", source="shop", business_date=day, limit=10):
        assert alert.id in finished_night.output


def test_commands_that_the_summary_names_work(finished_night: FinishedNight) -> None:
    listed = larder(finished_night.environment, "alerts", "list", "--kind", "stockout", "--csv", "-")
    assert "reason" in listed.splitlines()[0]
    out = finished_night.settings.data_dir / "predictions.parquet"
    larder(finished_night.environment, "table", "predictions", "--out", str(out))
    assert out.stat().st_size > 0


def test_a_night_killed_at_four_stages_makes_the_same_tables_and_alerts(
    finished_night: FinishedNight, tmp_path: Path
) -> None:
    environment = finished_night.environment | {"LARDER_DATA_DIR": str(tmp_path)}
    environment["LARDER_TRAINING__CHECKPOINT_STEPS"] = "1"  # so that there is one to resume from
    settings = Settings(data_dir=tmp_path)
    workspace = Workspace.of(settings, "shop")
    shutil.copytree(finished_night.workspace.raw, workspace.raw)

    resume: list[str] = []
    for stage in KILLED_DURING:
        _run_until(environment, workspace, stage, resume)
        resume = ["--resume", next((workspace.root / "runs").glob("nightly-*")).name]
    larder(environment, "nightly", *resume)

    name = resume[1]
    for table in TABLES:
        assert workspace.lake.current(table) == name, table
        undisturbed = finished_night.workspace.lake.path(table, finished_night.name)
        assert _content(workspace.lake.path(table, name)) == _content(undisturbed), table
    assert _alerts(settings) == _alerts(finished_night.settings)


def test_a_candidate_is_trained_and_fine_tuned_beside_the_nights(finished_night: FinishedNight) -> None:
    environment = finished_night.environment | {"LARDER_TRAINING__FINETUNE_EPOCHS": "1"}
    said = larder(environment, "train", "--finetune", "policy-gradient", "--run-id", "tuned")
    assert "larder model promote --source shop --run-id tuned" in said
    tuned = finished_night.workspace.task_folder("tuned", "next_basket")
    history = tuned / "training"
    assert "reward" in read_history(history / "history.json")[0]
    assert "content" in read_history(history / "supervised" / "history.json")[0]
    assert {CANDIDATE, CHAMPION} <= set(Scorecard.read(tuned).models)
    assert "tuned" in larder(environment, "model", "list")


def test_training_without_sequences_says_which_job_makes_them(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.cli", "train"],
        env=os.environ | {"LARDER_DATA_DIR": str(tmp_path)},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "table sequences has no published version" in done.stderr
    assert "Traceback" not in done.stderr


def _run_until(environment: dict[str, str], workspace: Workspace, stage: str, resume: list[str]) -> None:
    """Run the night, and kill every process of it without warning while `stage` is at work."""
    night = subprocess.Popen(
        [sys.executable, "-m", "pipeline.cli", "nightly", *resume],
        env=environment,
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    while night.poll() is None and not _at_work(workspace, stage):
        time.sleep(0.05)
    if night.poll() is not None:
        pytest.fail(f"the night ended before {stage}:\n{night.communicate()[0][-4000:]}")
    _kill_all(str(environment["LARDER_DATA_DIR"]))
    night.communicate()
    lake = workspace.lake
    assert [
        table for table in TABLES if (version := lake.current(table)) and not lake.path(table, version).is_dir()
    ] == []


def _at_work(workspace: Workspace, stage: str) -> bool:
    """The stage has begun and is past its first moment: it has written a part of its table, or trains."""
    for folder in (workspace.root / "runs").glob("nightly-*"):
        latest = {record.name: record.status for record in read_stages(folder)}
        if latest.get(stage) == "running":
            if stage == "train_model":
                return any((folder / "tasks").rglob("*.index"))
            return any((workspace.lake.root).glob(f"*/staged/{folder.name}"))
    return False


def _kill_all(data_dir: str) -> None:
    """SIGKILL to every process that works on this data folder, as when the machine loses power."""
    while doomed := [process for process in psutil.process_iter() if _data_dir_of(process) == data_dir]:
        for process in doomed:
            with suppress(psutil.NoSuchProcess):
                os.kill(process.pid, signal.SIGKILL)
        psutil.wait_procs(doomed, timeout=5)


def _data_dir_of(process: psutil.Process) -> str | None:
    with suppress(psutil.Error):
        if process.status() != psutil.STATUS_ZOMBIE:
            return process.environ().get("LARDER_DATA_DIR")
    return None


def _content(folder: Path) -> tuple[int, int]:
    """Rows and an order-independent hash of all columns."""
    query = f"SELECT count(*), bit_xor(hash(t)) FROM read_parquet('{folder}/**/*.parquet') t"
    rows: tuple[int, int] = duckdb.sql(query).fetchall()[0]
    return rows


def _alerts(settings: Settings) -> list[dict[str, object]]:
    """What the open alerts of both kinds say, whatever the run was called."""
    alerts = [
        *open_alerts(settings, kind="stockout", source="shop"),
        *open_alerts(settings, kind="anomaly", source="shop"),
    ]
    return [
        {name: value for name, value in asdict(alert).items() if name not in NAMED_AFTER_THE_RUN} for alert in alerts
    ]
