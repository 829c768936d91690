"""Spark's Python daemon for jobs of seconds: workers start with their libraries, and clean up only what is theirs.

Spark forks its Python workers from a daemon, and has every worker collect garbage after every task. That walks all
objects of all libraries: a tenth of a second with pandas, and half a second with TensorFlow, for tasks of a few rows.
Here the daemon imports what nearly every task imports, once for all workers, and freezes it: what is frozen is not
walked. Spark's daemon also lets the kernel forget its workers as they end; here they are waited for, so that their
seconds, a training's included, count as the job's for whoever measures it.

Set by `spark.python.daemon.module`, on one machine alone: a cluster's executors start Spark's own.
"""

import gc
import importlib
import os
import signal
import sys
from types import SimpleNamespace
from typing import Any

PRELOADED = ("numpy", "pandas", "pyarrow.compute", "pyspark.sql.pandas.serializers", "spark_jobs.session")
ARCHIVES = ("pyspark.zip", "-src.zip")
"""Spark puts itself on the path once more, as archives, which a worker reads again for every task."""


def main() -> None:
    """Import, freeze, and fork a worker for whoever connects, as Spark's own daemon does."""
    sys.path[:] = [entry for entry in sys.path if not entry.endswith(ARCHIVES)]
    for name in PRELOADED:
        importlib.import_module(name)
    daemon = importlib.import_module("pyspark.daemon")
    for archive in [path for path in sys.path_importer_cache if path.endswith(ARCHIVES)]:
        del sys.path_importer_cache[archive]
    daemon.signal = SimpleNamespace(**vars(signal) | {"signal": _handle})  # type: ignore[attr-defined]
    gc.collect()
    gc.freeze()
    daemon.manager()


def _handle(number: int, handler: Any) -> Any:
    """As `signal.signal`, but workers that end are not ignored."""
    is_ignored = number == signal.SIGCHLD and handler == signal.SIG_IGN
    return signal.signal(number, _wait_for_ended if is_ignored else handler)


def _wait_for_ended(number: int, frame: Any) -> None:
    """Take note of every worker that has ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


if __name__ == "__main__":
    main()
