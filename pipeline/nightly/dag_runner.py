"""Airflow for the DAGs of one night, one after another, each with the same Params."""

import json
import subprocess
from typing import IO

from pipeline.nightly.environment import airflow_program
from pipeline.settings import REPOSITORY

SUCCESS = "success"
FAILED = "failed"


class DagRunner:
    """Runs a DAG in an Airflow process of its own.

    Args:
        conf: the Params of every run.
        log: where Airflow and the jobs write.
        lock: a file descriptor that the process inherits.
    """

    def __init__(self, environment: dict[str, str], conf: dict[str, str], log: IO[bytes], lock: int) -> None:
        self._environment, self._conf, self._log, self._lock = environment, conf, log, lock
        self._process: subprocess.Popen[bytes] | None = None

    def begin(self, dag: str) -> None:
        """Start one run."""
        self._process = subprocess.Popen(
            [airflow_program(), "dags", "test", dag, "--conf", json.dumps(self._conf)],
            env=self._environment,
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=(self._lock,),
        )

    def state(self, seconds: float) -> str | None:
        """The final state of the run; None where it still runs after that time."""
        assert self._process is not None
        try:
            return FAILED if self._process.wait(seconds) else SUCCESS
        except subprocess.TimeoutExpired:
            return None
