"""Spark's Python daemon for jobs of seconds: workers start with their libraries, and clean up only what is theirs.

Spark forks its Python workers from a daemon, and has every worker collect garbage after every task. That walks all
objects of all libraries: a tenth of a second with pandas, and half a second with TensorFlow, for tasks of a few rows.
Here the daemon imports what nearly every task imports, once for all workers, and freezes it: what is frozen is not
walked. Set by `spark.python.daemon.module`, on one machine alone: a cluster's executors start Spark's own.
"""

import gc
import importlib
import sys

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
    gc.collect()
    gc.freeze()
    daemon.manager()


if __name__ == "__main__":
    main()
