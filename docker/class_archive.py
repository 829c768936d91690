"""A small Spark job that loads the classes which nearly every job loads: setup.sh archives them from its JVM.

A job of seconds spends most of them on loading some fifteen thousand Java classes from jars. From an archive (class
data sharing) they are mapped into memory instead.
"""

import sys
import tempfile

import pyarrow as pa
from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as F
from pyspark.sql.pandas.functions import arrow_udf


def main() -> None:
    """Write, read, join, window, aggregate, sort and call Python: what the jobs do."""
    spark = SparkSession.builder.config("spark.sql.shuffle.partitions", "2").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    lines = spark.range(2000).select(
        F.concat(F.lit("c"), F.col("id") % 50).alias("customer"),
        F.date_add(F.lit("2026-01-01").cast("date"), (F.col("id") % 30).cast("int")).alias("day"),
        F.timestamp_micros(F.col("id") * 1_000_000).alias("at"),
        (F.rand(1) * 9).alias("quantity"),
        F.struct(F.lit("p").alias("product"), F.col("id").alias("cents")).alias("line"),
    )

    @arrow_udf("double")  # type: ignore[call-overload]  # the stubs ask for a type that is read from the hints
    def doubled(values: pa.Array) -> pa.Array:
        return pa.compute.add(values, values)

    with tempfile.TemporaryDirectory() as folder:
        lines.write.partitionBy("day").parquet(f"{folder}/lines")
        read = spark.read.schema("customer string, at timestamp, quantity double, day date").parquet(f"{folder}/lines")
        first = read.withColumn("rank", F.row_number().over(Window.partitionBy("customer").orderBy("at")))
        collected = (
            first.repartition("customer")
            .groupBy("customer")
            .agg(
                F.sort_array(F.collect_list(F.struct("at", "quantity"))).alias("history"),
                F.countDistinct("day").alias("n"),
            )
        )
        sums = read.groupBy("customer").agg(F.sum(doubled("quantity")).alias("total"), F.median("quantity"))
        joined = collected.join(F.broadcast(sums), "customer", "left").filter(F.size("history") > 1)
        joined.withColumn("kept", F.transform("history", lambda each: each.quantity)).write.parquet(f"{folder}/out")
        spark.read.parquet(f"{folder}/out").groupBy().agg(F.count("*"), F.sum("n"), F.max("total")).toPandas()
        grouped = read.groupBy("customer").applyInPandas(lambda rows: rows.head(1), read.schema)
        grouped.toPandas()
    spark.stop()


if __name__ == "__main__":
    sys.exit(main())
