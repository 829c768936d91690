"""The jobs' own transforms on lines in the transactions layout, as `build_baskets` and `build_sequences` chain them."""

import os
import sys
from datetime import date
from pathlib import Path

from pyspark.sql import SparkSession

from pipeline.settings import SequenceSettings, Settings
from pipeline.tables.catalog import table as contract
from spark_jobs.build_baskets import build_baskets
from spark_jobs.build_sequences import build_sequences
from spark_jobs.session import open_session
from spark_jobs.sessions import BasketRules
from spark_jobs.vocabulary import choose_vocabulary, product_categories, product_statistics, vocabulary_table


class SparkEngine:
    """One session, kept between runs, so that the second run meets a warm JVM."""

    def __init__(self, spark: SparkSession | None = None) -> None:
        os.environ["PYSPARK_PYTHON"] = sys.executable
        memory = os.environ.get("LARDER_SPARK_DRIVER_MEMORY", "1500m")
        os.environ.setdefault(
            "PYSPARK_SUBMIT_ARGS",
            f"--master local[2] --driver-memory {memory} --conf spark.ui.enabled=false "
            "--conf spark.driver.host=127.0.0.1 --conf spark.driver.bindAddress=127.0.0.1 pyspark-shell",
        )
        self.spark = spark or open_session("benchmark_sessionize", Settings())

    def run(self, lines: Path, out: Path, business_date: date, settings: SequenceSettings) -> None:
        """Read the lines, write `baskets`, `vocabulary` and `sequences` as Parquet under `out`."""
        transactions = self.spark.read.schema(contract("transactions").ddl).parquet(str(lines))
        build_baskets(transactions, business_date, BasketRules("basket_id", has_times=False)).write.parquet(
            str(out / "baskets")
        )
        baskets = self.spark.read.schema(contract("baskets").ddl).parquet(str(out / "baskets"))
        statistics = product_statistics(baskets, business_date)
        vocabulary = choose_vocabulary(statistics, None, settings)
        categories = product_categories(transactions, business_date)
        table = vocabulary_table(self.spark, vocabulary, statistics, categories)
        table.coalesce(1).write.parquet(str(out / "vocabulary"))
        build_sequences(baskets, vocabulary, business_date, settings).write.parquet(str(out / "sequences"))
