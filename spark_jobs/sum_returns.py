"""Units expected back by store, product and day (`expected_returns`), from the forecasts of single lines."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipeline.tables.return_forecasts import EXPECTED_RETURNS, RETURN_FORECASTS
from spark_jobs.session import arg_parser, open_job, open_session, publish_table, read_tables


def sum_returns(forecasts: DataFrame) -> DataFrame:
    """Expected returns in the contract's columns. Goods come back to the store that sold them."""
    by_day = forecasts.select(
        "store_id", "product_id", "business_date", F.posexplode("expected_units_by_day").alias("ahead", "units")
    )
    # As whole billionths of a unit: their sum does not depend on the order of rows.
    billionths = F.round(F.col("units") * 1e9).cast("decimal(38,0)")
    return (
        by_day.withColumn("returns_on", F.expr("date_add(business_date, ahead)"))
        .groupBy("store_id", "product_id", "returns_on", "business_date")
        .agg(
            (F.sum(billionths).cast("double") / 1e9).alias("expected_units"), F.count("*").cast("int").alias("n_lines")
        )
    )


def main(argv: list[str] | None = None) -> None:
    """Read this run's forecasts, publish their sums."""
    with open_job("sum_returns", arg_parser(__doc__).parse_args(argv)) as job:
        if job.was_published(EXPECTED_RETURNS.name):
            return
        spark = open_session(job.name, job.settings)
        frames, versions = read_tables(spark, job, RETURN_FORECASTS.name)
        job.record.rows_in = frames[RETURN_FORECASTS.name].count()
        publish_table(sum_returns(frames[RETURN_FORECASTS.name]), job, EXPECTED_RETURNS.name, versions)


if __name__ == "__main__":
    main()
