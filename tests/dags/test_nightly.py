"""The DAG's shape, its policies and the commands that it renders, as Airflow itself reads it."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pipeline.nightly.environment import ONCE, airflow_environment, airflow_program
from pipeline.settings import REPOSITORY, Settings

GOLDEN = Path(__file__).with_name("nightly_commands.json")


@pytest.fixture(scope="module")
def nightly(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    environment = airflow_environment(Settings(data_dir=tmp_path_factory.mktemp("var")), ONCE)
    for name in ("LARDER_SOURCE", "LARDER_TASK_RETRIES", "LARDER_DEADLINE_HOURS"):
        environment.pop(name, None)
    done = subprocess.run(
        [Path(airflow_program()).with_name("python"), Path(__file__).with_name("describe_nightly.py"), "dags"],
        env=environment,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_imports_cleanly_and_is_the_only_dag(nightly: dict[str, Any]) -> None:
    assert nightly["import_errors"] == {}
    assert nightly["dags"] == ["nightly"]


def test_every_task_has_an_owner_and_a_time_limit(nightly: dict[str, Any]) -> None:
    for name, task in nightly["tasks"].items():
        assert task["owner"] == "larder", name
        assert task["timeout_minutes"], name


def test_every_task_but_the_gates_is_retried_with_growing_delay(nightly: dict[str, Any]) -> None:
    for name, task in nightly["tasks"].items():
        if name.startswith("validate_"):
            assert task["retries"] == 0, name
        else:
            assert task["retries"] >= 1, name
            assert task["exponential"], name


def test_one_run_at_a_time_without_catching_up(nightly: dict[str, Any]) -> None:
    assert nightly["max_active_runs"] == 1
    assert nightly["catchup"] is False


def test_is_documented_tagged_and_has_a_deadline(nightly: dict[str, Any]) -> None:
    assert nightly["doc"].startswith("# Nightly")
    assert "larder" in nightly["tags"]
    assert nightly["deadline_callback"] == "pipeline.orchestration.notices.report_late"


def test_nothing_reads_a_table_before_its_gate(nightly: dict[str, Any]) -> None:
    before = _ancestors(nightly["tasks"])
    assert "validate_transactions" in before["build_baskets"] & before["ingest_products"] & before["ingest_stock"]
    assert "validate_sequences" in before["train_model"] & before["predict_baskets"]
    assert "validate_predictions" in before["forecast_demand"] & before["detect_anomalies"]


def test_alerts_wait_for_everything_but_the_segments(nightly: dict[str, Any]) -> None:
    others = set(nightly["tasks"]) - {"publish_alerts", "segment_funnels"}
    assert _ancestors(nightly["tasks"])["publish_alerts"] == others


def test_every_submitted_job_exists(nightly: dict[str, Any]) -> None:
    submitted = [command[0] for command in nightly["rendered"]["scheduled"].values() if isinstance(command, list)]
    missing = [name for name in submitted if not (REPOSITORY / "spark_jobs" / name).is_file()]
    assert missing == []


def test_commands_are_the_recorded_ones(nightly: dict[str, Any]) -> None:
    """Rebuilt by LARDER_REBUILD_GOLDEN=1 and then reviewed as code."""
    if os.environ.get("LARDER_REBUILD_GOLDEN"):
        GOLDEN.write_text(json.dumps(nightly["rendered"]["scheduled"], indent=1) + "\n")
    assert nightly["rendered"]["scheduled"] == json.loads(GOLDEN.read_text())


@pytest.mark.parametrize(
    ("kind", "source", "day", "name"),
    [
        ("scheduled", "shop", "2026-03-01", "scheduled__2026-03-01T02-00-00-00-00"),
        ("by_hand", "shop", "2026-03-01", "manual__2026-03-01T02-00-00.5-00-00_a-b"),
        ("with_params", "o'brien; $(id).toml", "2001-03-01", "again"),
    ],
)
def test_every_task_gets_the_runs_source_day_and_name(
    nightly: dict[str, Any], kind: str, source: str, day: str, name: str
) -> None:
    for task, command in nightly["rendered"][kind].items():
        if isinstance(command, list):
            assert command[-6:] == ["--source", source, "--business-date", day, "--run-id", name], task
        else:
            assert command["env"] == {"RUN_SOURCE": source, "RUN_BUSINESS_DATE": day, "RUN_ID": name}, task
            assert source not in command["bash"], task


def _ancestors(tasks: dict[str, Any]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}

    def of(name: str) -> set[str]:
        if name not in found:
            direct = tasks[name]["upstream"]
            found[name] = set(direct).union(*(of(parent) for parent in direct))
        return found[name]

    for name in tasks:
        of(name)
    return found
