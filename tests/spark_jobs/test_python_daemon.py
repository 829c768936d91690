"""Spark's Python workers come from our daemon: libraries there before the first task, and frozen."""

import subprocess
import sys
from collections.abc import Iterable, Iterator
from textwrap import dedent

import pyarrow as pa
from pyspark.sql import SparkSession

from spark_jobs.python_daemon import ARCHIVES, PRELOADED


def test_a_worker_starts_with_frozen_libraries_and_without_archives_on_its_path(spark: SparkSession) -> None:
    def look(parts: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import gc
        import sys

        for _ in parts:
            found = [gc.get_freeze_count(), all(name in sys.modules for name in preloaded)]
            caches = sum(path.endswith(archives) for path in [*sys.path, *sys.path_importer_cache])
            yield pa.RecordBatch.from_pydict({"frozen": [found[0]], "loaded": [found[1]], "archives": [caches]})

    preloaded, archives = PRELOADED, ARCHIVES
    (row,) = spark.range(1).coalesce(1).mapInArrow(look, "frozen long, loaded boolean, archives long").collect()
    assert row.frozen > 50_000
    assert row.loaded
    assert row.archives == 0


def test_the_daemon_waits_for_workers_that_end(spark: SparkSession) -> None:
    def look(parts: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import os
        import signal
        from pathlib import Path

        for _ in parts:
            status = Path(f"/proc/{os.getppid()}/status").read_text()
            masks = dict(line.split(":\t") for line in status.splitlines() if line.startswith("Sig"))
            bit = 1 << (signal.SIGCHLD - 1)
            yield pa.RecordBatch.from_pydict(
                {name: [bool(int(masks[name], 16) & bit)] for name in ("SigIgn", "SigCgt")}
            )

    (row,) = spark.range(1).coalesce(1).mapInArrow(look, "SigIgn boolean, SigCgt boolean").collect()
    assert (row.SigIgn, row.SigCgt) == (False, True)


def test_seconds_of_workers_that_end_are_counted() -> None:
    script = """
        import os, resource, signal, time
        from spark_jobs.python_daemon import _handle
        _handle(signal.SIGCHLD, signal.SIG_IGN)
        for _ in range(2):
            if os.fork() == 0:
                while time.process_time() < 0.3:
                    pass
                os._exit(0)
        while sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2]) < 0.5:
            time.sleep(0.01)
        print("counted")
    """
    done = subprocess.run(
        [sys.executable, "-c", dedent(script)], capture_output=True, text=True, timeout=100, check=True
    )
    assert done.stdout == "counted\n"
