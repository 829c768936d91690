"""A task whose job runs in the Spark application that the jobs of a night share (`pipeline.job_server`)."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException

from pipeline.job_server.client import run_job
from pipeline.job_server.protocol import FOLDER, Request
from pipeline.settings import REPOSITORY

QUOTED_LINES = 8


class SharedSparkOperator(BaseOperator):
    """Run `main(arguments)` of a module in the night's job server and log what it says.

    A task that is killed or out of time closes its connection, by which the server ends, and the job with it.

    """

    template_fields: Sequence[str] = ("arguments",)

    def __init__(self, *, module: str, arguments: Sequence[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.module = module
        self.arguments = arguments

    def execute(self, context: Any) -> None:
        """Run the job to its end.

        Raises: AirflowException: it failed; the message ends with the last lines that it said.
        """
        said: list[str] = []

        def say(line: str) -> None:
            self.log.info("%s", line)
            said[:] = [*said, line][-QUOTED_LINES:]

        request = Request(self.module, tuple(self.arguments), dict(os.environ), str(REPOSITORY))
        status = run_job(Path(os.environ[FOLDER]), request, say)
        if status != 0:
            raise AirflowException(
                "\n".join([f"{self.module} ended with status {status}", "Last output of the job:", *said])
            )
