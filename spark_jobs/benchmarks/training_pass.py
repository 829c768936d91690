"""What one pass over a task's training examples costs beside its network: CPU seconds and memory, in this process.

`python -m spark_jobs.benchmarks.training_pass TASK SOURCE --business-date D` reads the tables that the task reads, cuts
the examples, makes every batch of a pass, and prints a JSON line. Batches of equal size cost a network the same, so
their number says how that grows.
"""

import argparse
import json
import resource
import time
from datetime import date

from pipeline.settings import Settings
from pipeline.sources.source import load_source
from pipeline.task import KerasTask
from pipeline.tasks.catalog import TASKS, task_and_settings
from pipeline.workspace import Workspace

_MEGABYTE = 1024.0  # kilobytes


def main(argv: list[str] | None = None) -> None:
    """Measure one task of one source."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=sorted(name for name, task in TASKS.items() if isinstance(task, KerasTask)))
    parser.add_argument("source", help="a shipped source or a path to a TOML description")
    parser.add_argument("--business-date", required=True, type=date.fromisoformat, help="YYYY-MM-DD")
    given = parser.parse_args(argv)
    source = load_source(given.source)
    task, settings = task_and_settings(given.task, Settings(), source)
    lake, training = Workspace.of(settings, source.name).lake, settings.training
    tables = {name: lake.path(name, lake.resolve(name)) for name in task.reads}
    started = time.process_time()
    examples = task.examples(tables, given.business_date, training)
    batches = examples.steps_per_epoch(training.batch_size)
    cut = time.process_time()
    for step in range(batches):
        examples.batch(step, training.batch_size)
    found = {
        "examples_cpu": round(cut - started, 2),
        "batches": batches,
        "batches_cpu": round(time.process_time() - cut, 2),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MEGABYTE),
    }
    print(json.dumps({"task": task.name, "source": source.name, **found}))


if __name__ == "__main__":
    main()
