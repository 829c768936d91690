"""Who is told when a night fails or is late: the log always, people when someone configured it (pipeline.notices)."""

import logging
from typing import Any

from pipeline import notices

log = logging.getLogger(__name__)


def report_failure(context: dict[str, Any]) -> None:
    """Airflow's callback for a task that failed its last attempt."""
    instance = context["task_instance"]
    send("Larder: the night failed", f"{instance.task_id} of {instance.run_id} failed: {context.get('exception')}")


def report_late(context: dict[str, Any]) -> None:
    """Airflow's callback for a run that missed its deadline; it goes on running."""
    run = context.get("dag_run", {})
    name = run.get("dag_run_id") or run.get("run_id", "unknown") if isinstance(run, dict) else run.run_id
    send("Larder: the night is late", f"run {name} passed its deadline and is still running")


def send(title: str, body: str) -> None:
    """Log the notice and send it. A notice that cannot be sent never fails the run."""
    log.error("%s. %s", title, body)
    notices.send(title, body)
