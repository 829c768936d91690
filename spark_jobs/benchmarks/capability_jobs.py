"""What the jobs of a capability cost: CPU seconds and memory of each, as a night without a cluster submits it.

`python -m spark_jobs.benchmarks.capability_jobs SOURCE --business-date D night returns` runs the jobs of the groups one
after another, each in a Spark application of its own, and prints a JSON line each: seconds on the wall, CPU seconds of
all its processes, and the largest of these in memory. The first line is a job that does nothing: what start-up costs.
Groups are `night` (the tables that capabilities read, without any model) and capabilities. Lake and models are those of
`LARDER_DATA_DIR`. A run is measured once: jobs that have published have nothing left to do, so take a new `--run-id`.

How cost grows with customers: simulate a shop and one of four times its customers, each with its own folder and name,
and let passes over the data be equal in number (`LARDER_TASKS__..__TRAINING__EPOCHS`, `..__MAX_STEPS`, `..__PATIENCE`).
"""

import argparse
import ctypes
import json
import os
import resource
import shlex
import subprocess
import sys
import time
from contextlib import suppress
from datetime import date
from typing import Any

from pipeline.benchmarks.trials import in_own_process
from pipeline.job_server.driver import driver_memory, submit_arguments

GROUPS: dict[str, tuple[tuple[str, ...], ...]] = {
    "night": (
        ("ingest_transactions",),
        ("validate_table", "--table", "transactions"),
        ("ingest_products",),
        ("build_baskets",),
    ),
    "next_offers": (
        ("train_model", "--task", "next_offers"),
        ("promote", "--task", "next_offers"),
        ("predict_offers",),
        ("validate_table", "--table", "next_offers"),
    ),
    "returns": (
        ("build_order_lines",),
        ("train_model", "--task", "returns"),
        ("promote", "--task", "returns"),
        ("predict_returns",),
        ("validate_table", "--table", "return_forecasts"),
        ("sum_returns",),
    ),
    "customer_value": (
        ("build_customer_days",),
        ("train_model", "--task", "customer_values"),
        ("promote", "--task", "customer_values"),
        ("predict_values",),
        ("validate_table", "--table", "customer_values"),
    ),
}
"""Jobs in the order of the DAGs; `promote` is a command, all else are Spark jobs."""
_NOTHING = "nothing"
_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of prctl(2)
_MEGABYTE = 1024.0  # kilobytes
_END_SHOWN = 2000


def command_of(job: tuple[str, ...], run: list[str]) -> list[str]:
    """The command line of a job or command. Args: run: the three arguments that all jobs take."""
    name, *arguments = job
    if name == "promote":
        return [sys.executable, "-m", "pipeline.cli", "model", "promote", "--unattended", *arguments, *run]
    module = f"spark_jobs.benchmarks.{name}" if name == _NOTHING else f"spark_jobs.{name}"
    return [sys.executable, "-m", module, *arguments, *run]


def measured_apart(command: list[str]) -> dict[str, Any]:
    """Seconds and memory of a command and of whatever it leaves behind.

    Raises: SystemExit: where it fails, with the end of what it said.
    """
    return in_own_process(_measured, command)


def _measured(command: list[str]) -> dict[str, Any]:
    """The same of the first command that this process starts."""
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    started = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{shlex.join(command)} ended with status {done.returncode}:\n{done.stderr[-_END_SHOWN:]}")
    with suppress(ChildProcessError):
        while True:
            os.wait()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "wall": round(time.monotonic() - started, 1),
        "cpu": round(used.ru_utime + used.ru_stime, 1),
        "largest_process_mb": round(used.ru_maxrss / _MEGABYTE),
    }


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", help="a shipped source or a path to a TOML description")
    parser.add_argument("groups", nargs="+", choices=sorted(GROUPS))
    parser.add_argument("--business-date", required=True, type=date.fromisoformat, help="YYYY-MM-DD; sales before it")
    parser.add_argument("--run-id", default="cost", help="names the versions that this run makes")
    given = parser.parse_args()
    os.environ |= {"PYSPARK_SUBMIT_ARGS": submit_arguments(driver_memory()), "PYSPARK_PYTHON": sys.executable}
    run = ["--source", given.source, "--business-date", given.business_date.isoformat(), "--run-id", given.run_id]
    jobs = [("", (_NOTHING,)), *((name, job) for name in given.groups for job in GROUPS[name])]
    for group, job in jobs:
        found = measured_apart(command_of(job, run))
        print(json.dumps({"group": group, "job": " ".join(job), **found}), flush=True)


if __name__ == "__main__":
    main()
