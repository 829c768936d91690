"""Spark's Python workers come from our daemon: libraries there before the first task, and frozen."""

from collections.abc import Iterable, Iterator

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
