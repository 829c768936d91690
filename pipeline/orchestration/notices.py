"""Who is told when a night fails or is late: the log always, people when someone configured it.

Off by default. `LARDER_NOTIFY_URLS`, or a file named by `LARDER_NOTIFY_URLS_FILE`, holds Apprise addresses, one per
line (mail, Slack, Teams and some hundred others). They contain passwords, so they are read when a notice is sent and
never logged.
"""

import logging
import os
from pathlib import Path
from typing import Any

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
    """Log the notice and send it to the configured addresses. A notice that cannot be sent never fails the run."""
    log.error("%s. %s", title, body)
    addresses = configured_addresses()
    if not addresses:
        return
    import apprise

    messenger = apprise.Apprise()
    accepted = [messenger.add(address) for address in addresses]
    if not all(accepted) or not messenger.notify(title=title, body=body):
        log.error("a notice could not be sent to all %d addresses of LARDER_NOTIFY_URLS", len(addresses))


def configured_addresses() -> list[str]:
    """Apprise addresses from the file or the environment; none by default."""
    named = os.environ.get("LARDER_NOTIFY_URLS_FILE")
    text = Path(named).read_text() if named else os.environ.get("LARDER_NOTIFY_URLS", "")
    return [line.strip() for line in text.splitlines() if line.strip()]
