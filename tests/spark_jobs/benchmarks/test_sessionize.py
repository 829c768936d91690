"""Three engines, written apart from each other, make the same tables."""

from pathlib import Path

from pyspark.sql import SparkSession

from pipeline.settings import SequenceSettings
from spark_jobs.benchmarks.content import TABLES, content_hashes
from spark_jobs.benchmarks.duckdb_engine import DuckdbEngine
from spark_jobs.benchmarks.lines import BUSINESS_DATE, write_lines
from spark_jobs.benchmarks.polars_engine import PolarsEngine
from spark_jobs.benchmarks.sessionize import Engine, report
from spark_jobs.benchmarks.spark_engine import SparkEngine

CUT_SHORT = SequenceSettings(max_baskets=10, max_products=15, min_product_count=3)


def test_spark_duckdb_and_polars_agree_on_every_row(spark: SparkSession, tmp_path: Path) -> None:
    write_lines(tmp_path / "lines", 5_000)
    engines: dict[str, Engine] = {
        "spark": SparkEngine(spark),
        "duckdb": DuckdbEngine(),
        "polars": PolarsEngine(),
    }
    hashes = {}
    for name, engine in engines.items():
        engine.run(tmp_path / "lines", tmp_path / name, BUSINESS_DATE, CUT_SHORT)
        hashes[name] = content_hashes(tmp_path / name)
    assert set(hashes["spark"]) == set(TABLES)
    assert hashes["spark"] == hashes["duckdb"] == hashes["polars"]


def test_the_report_says_when_contents_differ() -> None:
    figures = {"seconds": 2.0, "cpu_seconds": 3.0, "peak_gb": 1.0, "first_seconds": 4.0}
    results = {name: figures | {"hashes": {"baskets": name}} for name in ("spark", "duckdb")}
    assert "DIFFER" in report(results, 5_000, "2026-01-01")


def test_lines_are_a_function_of_the_seed(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        write_lines(tmp_path / folder, 1_000, seed=7)
    first, second = (sorted((tmp_path / folder).rglob("*.parquet")) for folder in ("one", "two"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
