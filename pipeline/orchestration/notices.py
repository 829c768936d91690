"""Who is told when a night fails or is late: the log always, people when someone configured it (pipeline.notices)."""

import logging
from typing import Any

from pipeline import notices
from pipeline.text import one_line, without_passwords

log = logging.getLogger(__name__)


def report_failure(context: dict[str, Any]) -> None:
    """Airflow's callback for a task that failed its last attempt."""
    instance = context["task_instance"]
    failed = "the night" if instance.dag_id == "nightly" else instance.dag_id
    send(f"Larder: {failed} failed", f"{instance.task_id} of {instance.run_id} failed: {context.get('exception')}")


def report_late(context: dict[str, Any]) -> None:
    """Airflow's callback for a run that missed its deadline; one that goes on running is not ended by it.

    Args: context: the scheduler's; `dag_run` is the run as the REST API describes it. A backfilled run counts from the
        moment when the whole backfill was asked for, and nobody waits for a past morning: it is never late.
    """
    run = context["dag_run"]
    if run["run_type"] == "backfill":
        log.info("%s is part of a backfill, which has no deadline", run["dag_run_id"])
        return
    send("Larder: the night is late", f"{run['dag_run_id']} passed its deadline and is {run['state']}")


def send(title: str, body: str) -> None:
    """Log the notice, as one line, and send it. A notice that cannot be sent never fails the run."""
    body = without_passwords(one_line(body))
    log.error("%s. %s", title, body)
    notices.send(title, body)
