"""A night's jobs without Airflow: `main()` of each in the order of the DAG, in one process and one Spark application.

What a kill, a full disk or a dead service does to tables and alerts is the same as in a night of `larder nightly`; the
half minute in which Airflow starts is left out. Order and arguments are those of the rendered DAG
(tests/dags/golden), so a night that changes changes this one. As a process:
`python -m tests.campaign.jobs --source shop --business-date 2025-03-07 --run-id run1 [--only NAME ...] [--dag DAG]`.
"""

import argparse
import importlib
import io
import json
import os
import subprocess
import sys
import traceback
from contextlib import redirect_stderr
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipeline.job_server.protocol import Request
from pipeline.settings import REPOSITORY
from pipeline.text import one_line
from tests.campaign.bench import environment

GOLDEN = REPOSITORY / "tests" / "dags" / "golden"
SHOP = ("--first-day", "2025-01-20", "--customers", "50", "--days", "46", "--products", "60", "--stores", "2")
BUSINESS_DATE = date(2025, 3, 7)
NIGHTLY = "nightly"
FULL = "== full disk"


@dataclass(frozen=True)
class Step:
    """One task of a DAG: which module's `main()` runs, and its own arguments before those that all take."""

    name: str
    module: str
    arguments: tuple[str, ...]


def steps(dag: str = NIGHTLY) -> list[Step]:
    """The tasks of a DAG that run a job, in an order in which it may run them."""
    found = []
    for name, task in json.loads((GOLDEN / f"{dag}.json").read_text()).items():
        if isinstance(task, list):
            own = task[1 : task.index("--source")]
            found.append(Step(name, f"spark_jobs.{Path(task[0]).stem}", tuple(own)))
        elif "bash" in task:
            command = task["bash"].partition("-m pipeline.cli ")[2].partition(" --source")[0]
            found.append(Step(name, "pipeline.cli", tuple(command.split())))
    return found


def command(run_id: str, *only: str, dag: str = NIGHTLY, source: str = "shop", day: date = BUSINESS_DATE) -> list[str]:
    """The command line of a process that runs these steps, or all of the DAG's."""
    line = [sys.executable, "-m", "tests.campaign.jobs", "--source", source, "--business-date", str(day)]
    line += ["--run-id", run_id, "--dag", dag]
    return [*line, *(["--only", *only] if only else [])]


def finish(data: Path, run_id: str, *only: str, dag: str = NIGHTLY, source: str = "shop", **more: str) -> None:
    """Run the steps to their end. Raises: AssertionError: one failed; with the end of what it said."""
    done = attempt(data, run_id, *only, dag=dag, source=source, **more)
    assert done.returncode == 0, f"{run_id} ended with {done.returncode}:\n{done.stdout[-6000:]}"


def attempt(
    data: Path, run_id: str, *only: str, dag: str = NIGHTLY, source: str = "shop", **more: str
) -> subprocess.CompletedProcess[str]:
    """Run the steps; what came of it."""
    return subprocess.run(
        command(run_id, *only, dag=dag, source=source),
        env=environment(data, **more),
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def simulate(data: Path) -> None:
    """Deliver the tiny shop's files."""
    line = [sys.executable, "-m", "pipeline.cli", "simulate", *SHOP]
    done = subprocess.run(line, env=environment(data), cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _try_without_room(step: Step, all_take: tuple[str, ...], filler: Path) -> None:
    """Run the step while its disk is full, and print what ended it: a message, an error with its trace, or nothing."""
    from tests.campaign.full_disk import fill

    fill(filler)
    kind, said, printed = "done", "", io.StringIO()
    try:
        with redirect_stderr(printed):
            importlib.import_module(step.module).main([*step.arguments, *all_take])
    except SystemExit as end:
        kind, said = ("SystemExit", f"{end.code} {printed.getvalue()}") if end.code else ("done", "")
    except BaseException as error:
        traceback.print_exc()
        kind, said = type(error).__name__, str(error)
    finally:
        filler.unlink()
    print(f"{FULL}|{step.name}|{kind}|{one_line(said).replace('|', ' ')}", flush=True)


def main(argv: list[str] | None = None) -> None:
    """Run the steps one after the other; the status and message of the first that fails are those of the process."""
    from pyspark.sql import SparkSession

    from spark_jobs.serve_jobs import run

    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--source", "--business-date", "--run-id"):
        parser.add_argument(name, required=True)
    parser.add_argument("--dag", default=NIGHTLY)
    parser.add_argument("--only", nargs="+", default=[])
    given = parser.parse_args(argv)
    all_take = ("--source", given.source, "--business-date", given.business_date, "--run-id", given.run_id)
    filler = os.environ.get("LARDER_CAMPAIGN_FILLER")
    spark = SparkSession.builder.appName("campaign").getOrCreate()
    for step in steps(given.dag):
        if given.only and step.name not in given.only:
            continue
        print(f"== {step.name}", flush=True)
        if filler is not None:
            _try_without_room(step, all_take, Path(filler))
        status = run(Request(step.module, (*step.arguments, *all_take), dict(os.environ), str(REPOSITORY)))
        if status:
            spark.stop()
            sys.exit(status)
    spark.stop()


if __name__ == "__main__":
    main()
