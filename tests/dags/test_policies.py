"""What holds for every DAG: it is documented, owned, limited in time, retried, and says what it runs."""

import json
import os
from pathlib import Path
from typing import Any

from pipeline.capabilities import CAPABILITIES
from pipeline.settings import REPOSITORY
from pipeline.tables.catalog import TABLES

INTAKES = {each.intake for each in CAPABILITIES.values() if each.intake}
GOLDEN = Path(__file__).with_name("golden")


def test_all_import_cleanly_and_every_capability_has_one(described: dict[str, Any]) -> None:
    assert described["import_errors"] == {}
    assert set(described["dags"]) == {"nightly", *CAPABILITIES, *INTAKES}


def test_each_is_documented_and_tagged(described: dict[str, Any]) -> None:
    for name, dag in described["dags"].items():
        assert dag["doc"].startswith(f"# {name.replace('_', ' ').capitalize()}"), name
        assert "When a task fails" in dag["doc"], name
        assert dag["description"], name
        assert "larder" in dag["tags"], name


def test_every_task_has_an_owner_a_time_limit_and_a_notice_when_it_fails(described: dict[str, Any]) -> None:
    for name, task in _tasks(described):
        assert task["owner"] == "larder", name
        assert task["timeout_minutes"], name
        assert task["notifies"], name


def test_every_task_but_the_gates_is_retried_with_growing_delay(described: dict[str, Any]) -> None:
    for name, task in _tasks(described):
        if "validate_" in name:
            assert task["retries"] == 0, name
        else:
            assert task["retries"] >= 1, name
            assert task["exponential"], name


def test_one_run_at_a_time_without_catching_up(described: dict[str, Any]) -> None:
    for name, dag in described["dags"].items():
        assert dag["max_active_runs"] == 1, name
        assert dag["catchup"] is False, name


def test_a_capability_waits_for_its_tables_and_the_alerts(described: dict[str, Any]) -> None:
    announced = {
        name: {asset for task in described["dags"][name]["tasks"].values() for asset in task["announces"]}
        for name in ("nightly", *INTAKES)
    }
    assert set().union(*announced.values()) <= {*TABLES, "alerts"}
    for name, capability in CAPABILITIES.items():
        dag = described["dags"][name]
        awaited = {*capability.reads} if capability.intake else {*capability.reads, "alerts"}
        assert set(dag["starts_with"]) == awaited <= announced[capability.intake or "nightly"], name
        assert dag["paused"] is False, name
        first = [task for task, of in dag["tasks"].items() if not of["upstream"]]
        assert first == ["is_switched_on"], name


def test_every_submitted_job_exists(described: dict[str, Any]) -> None:
    submitted = [command[0] for _, command in _commands(described) if isinstance(command, list)]
    missing = [name for name in submitted if not (REPOSITORY / "spark_jobs" / name).is_file()]
    assert submitted
    assert missing == []


def test_commands_are_the_recorded_ones(described: dict[str, Any]) -> None:
    """Rebuilt by LARDER_REBUILD_GOLDEN=1 and then reviewed as code."""
    for name, dag in described["dags"].items():
        rendered = dag["rendered"]["scheduled" if "scheduled" in dag["rendered"] else "by_assets"]
        golden = GOLDEN / f"{name}.json"
        if os.environ.get("LARDER_REBUILD_GOLDEN"):
            golden.write_text(json.dumps(rendered, indent=1) + "\n")
        assert rendered == json.loads(golden.read_text()), name


def test_every_task_gets_the_runs_source_day_and_name(described: dict[str, Any]) -> None:
    expected = {
        "scheduled": ("shop", "2026-03-01", "scheduled__2026-03-01T02-00-00-00-00"),
        "by_hand": ("shop", "2026-03-01", "manual__2026-03-01T02-00-00.5-00-00_a-b"),
        "with_params": ("o'brien; $(id).toml", "2001-03-01", "again"),
        "by_assets": ("tafeng", "2024-02-29", "night-1"),
    }
    for (kind, task), command in _commands(described):
        source, day, name = expected[kind]
        if isinstance(command, list):
            assert command[-6:] == ["--source", source, "--business-date", day, "--run-id", name], task
        elif "bash" in command:
            assert command["env"] == {"RUN_SOURCE": source, "RUN_BUSINESS_DATE": day, "RUN_ID": name}, task
            assert source not in command["bash"], task
        else:
            assert command["arguments"]["source"] == source, task


def test_jobs_that_share_an_application_get_the_same_arguments(described: dict[str, Any]) -> None:
    for name, dag in described["dags"].items():
        for task, alone in dag["rendered"]["with_params"].items():
            shared = dag["shared"][task]
            if isinstance(alone, list):
                module = f"spark_jobs.{alone[0].removesuffix('.py')}"
                assert shared == {"module": module, "arguments": alone[1:]}, name
            elif "bash" in alone:
                assert shared["module"] == "pipeline.cli", name
                assert shared["arguments"][-6:] == _arguments(alone["env"]), name
                command = " ".join(shared["arguments"][:-6])
                assert f"-m pipeline.cli {command} --source" in alone["bash"], name
            else:
                assert shared == alone, name


def _arguments(env: dict[str, str]) -> list[str]:
    return ["--source", env["RUN_SOURCE"], "--business-date", env["RUN_BUSINESS_DATE"], "--run-id", env["RUN_ID"]]


def _tasks(described: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(f"{name}.{task}", of) for name, dag in described["dags"].items() for task, of in dag["tasks"].items()]


def _commands(described: dict[str, Any]) -> list[tuple[tuple[str, str], Any]]:
    """Every rendered command with its kind of run and its task."""
    return [
        ((kind, f"{name}.{task}"), command)
        for name, dag in described["dags"].items()
        for kind, tasks in dag["rendered"].items()
        for task, command in tasks.items()
    ]
