"""Run by Airflow's Python: prints, as JSON, the DAG `nightly` and its commands as rendered for a few kinds of run."""

import json
import sys
from datetime import UTC, datetime
from types import SimpleNamespace

from airflow.dag_processing.dagbag import DagBag

DUE = datetime(2026, 3, 1, 2, tzinfo=UTC)
RUNS = {
    "scheduled": (SimpleNamespace(logical_date=DUE, run_after=DUE), "scheduled__2026-03-01T02:00:00+00:00", {}),
    "by_hand": (SimpleNamespace(logical_date=None, run_after=DUE), "manual__2026-03-01T02:00:00.5+00:00_a/b", {}),
    "with_params": (
        SimpleNamespace(logical_date=None, run_after=DUE),
        "manual__x",
        {"business_date": "2001-03-01", "source": "o'brien; $(id).toml", "run_name": "again"},
    ),
}


def describe(folder: str) -> dict:
    """The DAG's policies, its tasks and their rendered fields per kind of run."""
    bag = DagBag(folder)
    dag = bag.dags["nightly"]
    rendered = {name: _rendered(folder, *run) for name, run in RUNS.items()}
    return {
        "import_errors": bag.import_errors,
        "dags": sorted(bag.dags),
        "doc": dag.doc_md,
        "tags": sorted(dag.tags),
        "catchup": dag.catchup,
        "max_active_runs": dag.max_active_runs,
        "deadline_callback": dag.deadline[0].callback.path if dag.deadline else None,
        "params": dag.params.dump(),
        "tasks": {
            task.task_id: {
                "owner": task.owner,
                "upstream": sorted(task.upstream_task_ids),
                "retries": task.retries,
                "exponential": bool(task.retry_exponential_backoff),
                "timeout_minutes": task.execution_timeout.total_seconds() / 60 if task.execution_timeout else None,
                "connection": getattr(task, "_conn_id", None),
            }
            for task in dag.tasks
        },
        "rendered": rendered,
    }


def _rendered(folder: str, dag_run: SimpleNamespace, run_id: str, given: dict) -> dict:
    dag = DagBag(folder).dags["nightly"]
    context = {"params": {**dag.params.dump(), **given}, "dag_run": dag_run, "run_id": run_id}
    commands = {}
    for task in dag.tasks:
        task.render_template_fields(context, jinja_env=dag.get_template_env())
        application = getattr(task, "application", None)
        commands[task.task_id] = (
            [application.rsplit("/", 1)[-1], *task.application_args]
            if application
            else {"bash": task.bash_command, "env": {k: v for k, v in task.env.items() if k.startswith("RUN")}}
        )
    return commands


if __name__ == "__main__":
    print("\n" + json.dumps(describe(sys.argv[1])))
