"""Predict the next offers of every active customer (`next_offers`), for the gate that publishes them.

A customer is active whose latest offer is at most `prediction.active_days` before the business date. The champion
predicts customers with enough events; the others, and everyone before the first champion, are predicted by frequencies
and flagged in `fallback`. Probabilities hold as of the business date: it is known that nothing came since the latest
event.
"""

from datetime import date, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipeline.offer_rules import OfferRules
from pipeline.tables.next_offers import NEXT_OFFERS as TABLE
from pipeline.tasks.catalog import NEXT_OFFERS, task_and_settings
from pipeline.tracking.registry import Registry
from spark_jobs.prediction import stage_predictions
from spark_jobs.session import arg_parser, open_job, open_session, read_tables


def customer_lines(
    baskets: DataFrame, products: DataFrame, rules: OfferRules, business_date: date, active_days: int
) -> DataFrame:
    """One row per active customer: `customer_id` and `lines`, structs of day, offer name and amount."""
    lines = (
        baskets.filter((F.col("sold_on") < F.lit(business_date)) & F.col("customer_id").isNotNull())
        .select("customer_id", "sold_on", F.explode("products").alias("line"))
        .select("customer_id", "sold_on", "line.product_id", "line.amount_cents")
    )
    if rules.level == "category":
        lines = lines.join(products.select("product_id", F.col("category").alias("name")), "product_id", "left")
    else:
        lines = lines.withColumn("name", F.col("product_id"))
    lines = lines.filter(F.col("name").isNotNull())
    line = F.struct(F.unix_date("sold_on").alias("day"), "name", "amount_cents")
    latest = F.lit(business_date - timedelta(days=active_days))
    customers = lines.groupBy("customer_id").agg(
        F.sort_array(F.collect_list(line)).alias("lines"), F.max("sold_on").alias("last_sold_on")
    )
    return customers.filter(F.col("last_sold_on") >= latest).select("customer_id", "lines")


def main(argv: list[str] | None = None) -> None:
    """Read this run's baskets and the champion, stage the offers for their gate."""
    with open_job("predict_offers", arg_parser(__doc__).parse_args(argv)) as job:
        if job.was_published(TABLE.name):
            return
        task, settings = task_and_settings(NEXT_OFFERS.name, job.settings, job.source)
        spark = open_session(job.name, settings)
        frames, inputs = read_tables(spark, job, *task.reads)
        rows = customer_lines(
            frames["baskets"],
            frames["products"],
            job.source.offers,
            job.run.business_date,
            settings.prediction.active_days,
        )
        job.record.rows_in = rows.count()
        registry = Registry(settings, job.source.name, task)
        predicted = stage_predictions(spark, job, registry, rows, inputs)
        flagged = predicted.filter("fallback IS NOT NULL").groupBy("fallback").count()
        job.record.details["fallback"] = {row.fallback: row["count"] for row in flagged.collect()}


if __name__ == "__main__":
    main()
