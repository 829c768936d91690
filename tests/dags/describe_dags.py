"""Run by Airflow's Python: prints, as JSON, every DAG and its commands as rendered for a few kinds of run."""

import json
import os
import sys
from datetime import UTC, datetime
from types import SimpleNamespace

from airflow.dag_processing.dagbag import DagBag

DUE = datetime(2026, 3, 1, 2, tzinfo=UTC)


def _run(run_id: str, *, logical_date=None, partition=None, params=None, events=None) -> dict:
    dag_run = SimpleNamespace(logical_date=logical_date, run_after=DUE, partition_key=partition)
    return {"dag_run": dag_run, "run_id": run_id, "params": params or {}, "triggering_asset_events": events or {}}


def _event(minute: int, source: str, run_name: str) -> SimpleNamespace:
    return SimpleNamespace(timestamp=DUE.replace(minute=minute), extra={"source": source, "run_name": run_name})


RUNS = {
    "scheduled": _run("scheduled__2026-03-01T02:00:00+00:00", logical_date=DUE),
    "by_hand": _run("manual__2026-03-01T02:00:00.5+00:00_a/b"),
    "with_params": _run(
        "manual__x", params={"business_date": "2001-03-01", "source": "o'brien; $(id).toml", "run_name": "again"}
    ),
    "by_assets": _run(
        "asset_triggered__x",
        partition="2024-02-29",
        events={
            "products": [_event(5, "shop", "failed"), _event(7, "tafeng", "night-1")],
            "alerts": [_event(9, "tafeng", "night-1")],
        },
    ),
}


def describe(folder: str) -> dict:
    """Import errors, and per DAG its policies, its tasks and their rendered fields per kind of run."""
    bag = DagBag(folder)
    return {"import_errors": bag.import_errors, "dags": {name: _dag(folder, name) for name in sorted(bag.dags)}}


def _dag(folder: str, name: str) -> dict:
    dag = DagBag(folder).dags[name]
    return {
        "doc": dag.doc_md,
        "description": dag.description,
        "tags": sorted(dag.tags),
        "catchup": dag.catchup,
        "max_active_runs": dag.max_active_runs,
        "paused": dag.is_paused_upon_creation,
        "deadline_callback": dag.deadline[0].callback.path if dag.deadline else None,
        "starts_with": sorted(asset.name for asset in _assets(dag).objects) if _assets(dag) else [],
        "params": dag.params.dump(),
        "tasks": {
            task.task_id: {
                "owner": task.owner,
                "upstream": sorted(task.upstream_task_ids),
                "retries": task.retries,
                "exponential": bool(task.retry_exponential_backoff),
                "timeout_minutes": task.execution_timeout.total_seconds() / 60 if task.execution_timeout else None,
                "notifies": bool(task.on_failure_callback),
                "announces": sorted(outlet.name for outlet in task.outlets),
            }
            for task in dag.tasks
        },
        "rendered": {kind: _rendered(folder, name, run) for kind, run in RUNS.items() if _suits(dag, kind)},
        "shared": _shared(folder, name),
    }


def _shared(folder: str, name: str) -> dict:
    """The commands of a night whose jobs share one Spark application, with Params."""
    os.environ["LARDER_JOB_SERVER"] = folder
    try:
        return _rendered(folder, name, RUNS["with_params"])
    finally:
        del os.environ["LARDER_JOB_SERVER"]


def _suits(dag, kind: str) -> bool:
    """A DAG that assets start has no schedule, and one with a schedule no assets."""
    return kind == "with_params" or (kind == "by_assets") == bool(_assets(dag))


def _assets(dag):
    return getattr(dag.timetable, "asset_condition", None)


def _rendered(folder: str, name: str, run: dict) -> dict:
    dag = DagBag(folder).dags[name]
    context = {**run, "params": {**dag.params.dump(), **run["params"]}}
    commands = {}
    for task in dag.tasks:
        task.render_template_fields(context, jinja_env=dag.get_template_env())
        if hasattr(task, "application"):
            commands[task.task_id] = [task.application.rsplit("/", 1)[-1], *task.application_args]
        elif hasattr(task, "module"):
            commands[task.task_id] = {"module": task.module, "arguments": task.arguments}
        elif hasattr(task, "bash_command"):
            run_env = {key: value for key, value in task.env.items() if key.startswith("RUN")}
            commands[task.task_id] = {"bash": task.bash_command, "env": run_env}
        else:
            commands[task.task_id] = {"python": task.python_callable.__name__, "arguments": task.op_kwargs}
    return commands


if __name__ == "__main__":
    print("\n" + json.dumps(describe(sys.argv[1])))
