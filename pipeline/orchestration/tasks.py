"""Task factories: how the DAG reaches the jobs, which live in another environment.

Airflow imports no job. A Spark job is submitted over the connection `spark_default`, so that a standalone cluster, YARN
or Kubernetes is one connection away; any other command runs as a process of the jobs' Python. In a night that
`larder nightly` starts on one machine both run in one warm Spark application instead (`SharedSparkOperator`).

Every task takes the same three arguments: source, business date and run id. Settings reach the jobs through the
environment (`LARDER_...`), never through the command line, where every user of the machine could read a secret.

Read from the environment of Airflow, all with a default:
    what `pipeline.job_server.driver` reads
    LARDER_JOB_SERVER           folder of the night's job server; set by `larder nightly`, not by people
    LARDER_TASK_RETRIES         attempts after the first (default 2)
    LARDER_DEADLINE_HOURS       hours after queueing at which a run counts as late (default 4; 0: no deadline)
"""

import os
from datetime import timedelta
from typing import Any

from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import BaseOperator, DeadlineAlert, DeadlineReference, SyncCallback

from pipeline.job_server.driver import JOBS_PYTHON, driver_memory, lean_driver
from pipeline.job_server.protocol import FOLDER
from pipeline.orchestration.assets import announce, asset
from pipeline.orchestration.identity import BUSINESS_DATE, RUN_ID, SOURCE
from pipeline.orchestration.notices import report_failure, report_late
from pipeline.orchestration.shared_spark import SharedSparkOperator
from pipeline.settings import REPOSITORY


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


def spark_job(
    name: str,
    *,
    minutes: int,
    publishes: tuple[str, ...] = (),
    arguments: tuple[str, ...] = (),
    task_id: str | None = None,
) -> BaseOperator:
    """Submit `spark_jobs/<name>.py`; the task is ended after `minutes`.

    Args: publishes: tables whose new versions are announced as assets when the task is done; arguments: of the job,
          before those that all jobs take; task_id: where a DAG runs the job more than once.
    """
    return _submit(task_id or name, name, arguments, minutes, **_announcing(publishes))


def gate(table: str, *, minutes: int) -> BaseOperator:
    """Audit a staged table, publish and announce it. What fails an audit fails it again: a gate is not retried."""
    return _submit(
        f"validate_{table}", "validate_table", ("--table", table), minutes, retries=0, **_announcing((table,))
    )


def _announcing(names: tuple[str, ...]) -> dict[str, Any]:
    return {"outlets": [asset(name) for name in names], "post_execute": announce(names)} if names else {}


def _submit(task_id: str, name: str, arguments: tuple[str, ...], minutes: int, **operator_options: Any) -> BaseOperator:
    arguments = (*arguments, "--source", SOURCE, "--business-date", BUSINESS_DATE, "--run-id", RUN_ID)
    if FOLDER in os.environ:
        return _shared(task_id, f"spark_jobs.{name}", arguments, minutes, **operator_options)
    return SparkSubmitOperator(
        task_id=task_id,
        name=task_id,
        application=str(REPOSITORY / "spark_jobs" / f"{name}.py"),
        application_args=[*arguments],
        conn_id="spark_default",
        conf=lean_driver(),
        driver_memory=driver_memory(),
        execution_timeout=timedelta(minutes=minutes),
        **operator_options,
    )


def _shared(
    task_id: str, module: str, arguments: tuple[str, ...], minutes: int, **operator_options: Any
) -> BaseOperator:
    """A task whose job runs in the Spark application that the night's jobs share."""
    return SharedSparkOperator(
        task_id=task_id,
        module=module,
        arguments=[*arguments],
        execution_timeout=timedelta(minutes=minutes),
        **operator_options,
    )


def promotion(*arguments: str, minutes: int, task_id: str = "promote_model") -> BaseOperator:
    """The gate of a task's candidate. A tracking store that does not answer keeps no table and no alert back."""
    return larder_command(task_id, " ".join(("model promote --unattended", *arguments)), minutes=minutes)


def larder_command(task_id: str, command: str, *, minutes: int, publishes: tuple[str, ...] = ()) -> BaseOperator:
    """Run `larder <command>` in the jobs' environment.

    The run's arguments come as environment variables: a Param is user input and must not be read by the shell as code.
    """
    if FOLDER in os.environ:
        arguments = (*command.split(), "--source", SOURCE, "--business-date", BUSINESS_DATE, "--run-id", RUN_ID)
        return _shared(task_id, "pipeline.cli", arguments, minutes, **_announcing(publishes))
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
