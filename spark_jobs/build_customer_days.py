"""What each customer paid and was paid back, day by day (`customer_days`), in one pass over the accepted lines.

A day on which nothing was bought or brought back is no row. Lines of quantity zero buy nothing; a discount line lowers
what was paid on its day, never below zero. Customers are those of `baskets`: sales without a customer, and those of
ids that stand for guests, are left out.
"""

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipeline.tables.customer_days import CUSTOMER_DAYS
from spark_jobs.session import arg_parser, open_job, open_session, publish_table, read_tables


def customer_days(transactions: DataFrame, baskets: DataFrame, business_date: date) -> DataFrame:
    """Rows of the table, of the days before the business date."""
    customers = baskets.filter(F.col("customer_id").isNotNull()).select("customer_id").distinct()
    is_return = F.col("is_return")
    buys = ~is_return & (F.col("quantity") > 0)
    return (
        transactions.filter(F.col("sold_on") < F.lit(business_date))
        .join(customers, "customer_id", "left_semi")
        .groupBy("customer_id", "sold_on")
        .agg(
            F.count_if(buys).alias("lines"),
            F.greatest(F.sum(F.when(is_return, 0).otherwise(F.col("amount_cents"))), F.lit(0)).alias("bought_cents"),
            F.sum(F.when(is_return, F.col("amount_cents")).otherwise(0)).alias("returned_cents"),
        )
        .filter("lines > 0 OR returned_cents > 0")
    )


def main(argv: list[str] | None = None) -> None:
    """Read this run's transactions and baskets, publish the days."""
    with open_job("build_customer_days", arg_parser(__doc__).parse_args(argv)) as job:
        if job.was_published(CUSTOMER_DAYS.name):
            return
        spark = open_session(job.name, job.settings)
        frames, inputs = read_tables(spark, job, "transactions", "baskets")
        job.record.rows_in = frames["transactions"].count()
        days = customer_days(frames["transactions"], frames["baskets"], job.run.business_date)
        publish_table(days, job, CUSTOMER_DAYS.name, inputs)


if __name__ == "__main__":
    main()
