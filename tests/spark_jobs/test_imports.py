"""Importing a job, or the command line, costs no library that only a part of its work needs."""

import json
import subprocess
import sys

from pipeline.settings import REPOSITORY

# Each takes one to eight seconds to import.
SLOW = ("great_expectations", "keras", "lightgbm", "matplotlib", "mlflow", "scipy.stats", "sklearn", "tensorflow")
PROGRAM = """
import importlib, json, sys
for module in sys.argv[1:]:
    importlib.import_module(module)
print(json.dumps([name for name in sys.modules]))
"""


def test_no_job_and_no_command_imports_what_only_a_part_of_its_work_needs() -> None:
    jobs = [f"spark_jobs.{path.stem}" for path in sorted((REPOSITORY / "spark_jobs").glob("*.py"))]
    modules = ["pipeline.cli", *(job for job in jobs if not job.endswith("__init__"))]
    assert len(modules) > 10
    command = [sys.executable, "-c", PROGRAM, *modules]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    imported = set(json.loads(done.stdout.splitlines()[-1]))
    assert imported & set(SLOW) == set()
