"""Task factories: how the DAG reaches the jobs, which live in another environment.

Airflow imports no job. A Spark job is submitted over the connection `spark_default`, so that a standalone cluster, YARN
or Kubernetes is one connection away; any other command runs as a process of the jobs' Python. Every task takes the same
three arguments: source, business date and run id. Settings reach the jobs through the environment (`LARDER_...`), never
through the command line, where every user of the machine could read a secret.

Read from the environment of Airflow, all with a default:
    LARDER_JOBS_PYTHON          Python of the jobs' environment (default `.venv/bin/python` beside the repository)
    LARDER_SPARK_DRIVER_MEMORY  memory of a job's driver (default 2g)
    LARDER_SPARK_JAVA_OPTIONS   options of a job's driver JVM (default `-XX:TieredStopAtLevel=1 -XX:+UseSerialGC`, and
                                the archive of Spark's classes that set-up made beside the jobs' Python)
    LARDER_TASK_RETRIES         attempts after the first (default 2)
    LARDER_DEADLINE_HOURS       hours after queueing at which a run counts as late (default 4; 0: no deadline)
"""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import BaseOperator, DeadlineAlert, DeadlineReference, SyncCallback

from pipeline.orchestration.assets import announce, asset
from pipeline.orchestration.identity import BUSINESS_DATE, RUN_ID, SOURCE
from pipeline.orchestration.notices import report_failure, report_late

REPOSITORY = Path(__file__).resolve().parents[2]

JOBS_PYTHON = Path(os.environ.get("LARDER_JOBS_PYTHON", REPOSITORY / ".venv" / "bin" / "python"))


def lean_java_options() -> str:
    """For jobs of seconds: Java's optimizing compiler would take longer than the job, and so would loading classes.

    Without that compiler the smallest job costs half the CPU time; clear the options where jobs run for an hour. An
    archive that does not fit the Java at hand is ignored, silently.
    """
    options = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
    archive = JOBS_PYTHON.parents[1] / "spark.jsa"
    if archive.is_file():
        options += f" -XX:SharedArchiveFile={archive} -Xlog:disable -Xlog:all=error:stderr"
    return options


# A job of seconds needs neither a web UI nor a metastore.
LEAN_DRIVER = {
    "spark.ui.enabled": "false",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.log.level": "WARN",
    "spark.driver.extraJavaOptions": os.environ.get("LARDER_SPARK_JAVA_OPTIONS", lean_java_options()),
}


def retry_policy() -> dict[str, Any]:
    """Back-off between attempts: a lost connection mends in seconds, a late delivery in minutes."""
    return {
        "retries": int(os.environ.get("LARDER_TASK_RETRIES", "2")),
        "retry_delay": timedelta(seconds=30),
        "retry_exponential_backoff": True,
        "max_retry_delay": timedelta(minutes=15),
    }


def default_args() -> dict[str, Any]:
    """What every task of every DAG starts from."""
    return {"owner": "larder", "on_failure_callback": report_failure, **retry_policy()}


def deadline() -> DeadlineAlert | None:
    """Tell people when a run is late. None for a run that someone watches: `dag.test` of Airflow 3.3 cannot end one."""
    hours = float(os.environ.get("LARDER_DEADLINE_HOURS", "4"))
    if not hours:
        return None
    return DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(hours=hours),
        callback=SyncCallback(report_late),
        name="alerts before the shops open",
    )


def spark_job(name: str, *, minutes: int, publishes: tuple[str, ...] = ()) -> BaseOperator:
    """Submit `spark_jobs/<name>.py`; the task is ended after `minutes`.

    Args: publishes: tables whose new versions are announced as assets when the task is done.
    """
    return _submit(name, name, (), minutes, **_announcing(publishes))


def gate(table: str, *, minutes: int) -> BaseOperator:
    """Audit a staged table, publish and announce it. What fails an audit fails it again: a gate is not retried."""
    return _submit(
        f"validate_{table}", "validate_table", ("--table", table), minutes, retries=0, **_announcing((table,))
    )


def _announcing(names: tuple[str, ...]) -> dict[str, Any]:
    return {"outlets": [asset(name) for name in names], "post_execute": announce(names)} if names else {}


def _submit(task_id: str, name: str, arguments: tuple[str, ...], minutes: int, **operator_options: Any) -> BaseOperator:
    return SparkSubmitOperator(
        task_id=task_id,
        name=task_id,
        application=str(REPOSITORY / "spark_jobs" / f"{name}.py"),
        application_args=[*arguments, "--source", SOURCE, "--business-date", BUSINESS_DATE, "--run-id", RUN_ID],
        conn_id="spark_default",
        conf=LEAN_DRIVER,
        driver_memory=os.environ.get("LARDER_SPARK_DRIVER_MEMORY", "2g"),
        execution_timeout=timedelta(minutes=minutes),
        **operator_options,
    )


def larder_command(task_id: str, command: str, *, minutes: int, publishes: tuple[str, ...] = ()) -> BaseOperator:
    """Run `larder <command>` in the jobs' environment.

    The run's arguments come as environment variables: a Param is user input and must not be read by the shell as code.
    """
    return BashOperator(
        task_id=task_id,
        bash_command=(
            f'exec "$JOBS_PYTHON" -m pipeline.cli {command}'
            ' --source "$RUN_SOURCE" --business-date "$RUN_BUSINESS_DATE" --run-id "$RUN_ID"'
        ),
        env={
            "JOBS_PYTHON": str(JOBS_PYTHON),
            "RUN_SOURCE": SOURCE,
            "RUN_BUSINESS_DATE": BUSINESS_DATE,
            "RUN_ID": RUN_ID,
        },
        append_env=True,
        cwd=str(REPOSITORY),
        execution_timeout=timedelta(minutes=minutes),
        **_announcing(publishes),
    )
