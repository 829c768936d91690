"""How the cost of ranking grows: CPU seconds and memory of `rank_styles` on synthetic factors.

`python -m spark_jobs.benchmarks.rank_styles --customers 25000 100000 --articles 50000 200000` ranks every pair of sizes
and prints one JSON line each: seconds on the wall, CPU seconds of the workers that multiply, and the largest of them in
memory.
"""

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.sql import SparkSession

from pipeline.settings import Settings
from pipeline.tables.styles import STYLES
from spark_jobs.rank_styles import InStore, rank_rows
from spark_jobs.session import open_session

UNITS, VECTOR_UNITS, BEST = 137, 128, 20
_ROWS_OF_PART = 2500


def styles_of(first: int, count: int) -> pa.RecordBatch:
    """Styles of some customers, three own articles each."""
    random = np.random.default_rng(first)
    factors = random.normal(size=count * UNITS).astype(np.float32)
    own = pa.StructArray.from_arrays(
        [
            pa.array([f"a{each}" for each in random.integers(0, 10_000, 3 * count)]),
            pa.array([1.0] * (3 * count), pa.float32()),
        ],
        names=["product_id", "score"],
    )
    nothing = {"fallback": pa.nulls(count, pa.string()), "is_cold": pa.array([False] * count)}
    said = {
        "customer_id": pa.array([f"c{first + row}" for row in range(count)]),
        "factors": pa.ListArray.from_arrays(pa.array(np.arange(count + 1, dtype=np.int32) * UNITS), pa.array(factors)),
        "own": pa.ListArray.from_arrays(pa.array(np.arange(count + 1, dtype=np.int32) * 3), own),
        "model_version": pa.array(["synthetic"] * count),
        "business_date": pa.array([0] * count, pa.int32()).cast(pa.date32()),
    }
    return pa.RecordBatch.from_pydict(said | nothing)


def measure(spark: SparkSession, customers: int, articles: int, diversity: float) -> dict[str, Any]:
    """Rank everything for everyone once."""
    random = np.random.default_rng(0)
    factors = random.normal(size=(articles, UNITS)).astype(np.float32)
    names, is_new = pa.array([f"a{row}" for row in range(articles)]), np.zeros(articles, bool)
    sent = spark.sparkContext.broadcast(InStore(names, factors, is_new, VECTOR_UNITS))

    def rank(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        before, rows = time.process_time(), 0
        for batch in batches:
            for first in batch.column(0).to_pylist():
                styles = styles_of(first, min(_ROWS_OF_PART, customers - first))
                rows += rank_rows(styles, sent.value, BEST, diversity).num_rows
        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        values = {"rows": [rows], "cpu": [time.process_time() - before], "peak_mb": [used]}
        yield pa.RecordBatch.from_pydict(values)

    parts = -(-customers // _ROWS_OF_PART)
    started = time.monotonic()
    found = (
        spark.range(0, customers, _ROWS_OF_PART, parts)
        .mapInArrow(rank, "rows bigint, cpu double, peak_mb double")
        .collect()
    )
    return {
        "customers": customers,
        "articles": articles,
        "diversity": diversity,
        "rows": sum(each.rows for each in found),
        "seconds": round(time.monotonic() - started, 1),
        "cpu_seconds": round(sum(each.cpu for each in found), 1),
        "peak_mb_of_a_worker": round(max(each.peak_mb for each in found)),
    }


def main(argv: list[str] | None = None) -> None:
    """Measure all pairs of sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, nargs="+", default=[25_000, 100_000])
    parser.add_argument("--articles", type=int, nargs="+", default=[50_000, 200_000])
    parser.add_argument("--diversity", type=float, default=Settings().styles.diversity)
    arguments = parser.parse_args(argv)
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    spark = open_session("rank_styles_benchmark", Settings())
    for articles in arguments.articles:
        for customers in arguments.customers:
            print(
                json.dumps({"table": STYLES.name} | measure(spark, customers, articles, arguments.diversity)),
                flush=True,
            )


if __name__ == "__main__":
    main()
