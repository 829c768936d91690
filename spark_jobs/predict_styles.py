"""The style of every customer as of the business date (`styles`), for the gate that publishes it.

The champion predicts where tonight's article vectors are those that it was trained with; else a profile of what was
bought does, and `fallback` says so. Of a customer who bought nothing that is known the style depends on the time alone,
and on what they looked at where the source delivers that.
"""

from datetime import date, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipeline.dataset.style_views import VIEWED_DAYS
from pipeline.tables.styles import STYLES
from pipeline.tasks.catalog import STYLES as TASK
from pipeline.tasks.catalog import task_and_settings
from pipeline.tracking.registry import Registry
from spark_jobs.prediction import stage_predictions
from spark_jobs.session import arg_parser, open_job, open_session, read_tables


def customer_lines(baskets: DataFrame, views: DataFrame, business_date: date) -> DataFrame:
    """One row per customer with a basket: `customer_id`, `lines` and `views`, structs of day, second and product."""
    last_day = business_date - timedelta(days=1)
    known = baskets.where((F.col("sold_on") < F.lit(business_date)) & F.col("customer_id").isNotNull())
    order = known.select(
        "customer_id",
        F.unix_date("sold_on").alias("day"),
        F.unix_timestamp("started_at_utc").alias("second"),
        F.explode_outer("products.product_id").alias("product_id"),
    )
    listed = F.sort_array(F.collect_list(F.struct("day", "second", "product_id")))
    latest = views.where(F.col("viewed_on").between(F.lit(business_date - timedelta(VIEWED_DAYS)), F.lit(last_day)))
    viewed = latest.select(
        "customer_id",
        F.unix_date("viewed_on").alias("day"),
        F.unix_timestamp("viewed_at_utc").alias("second"),
        "product_id",
    )
    looked = viewed.groupBy("customer_id").agg(listed.alias("views"))
    lines = order.groupBy("customer_id").agg(listed.alias("lines"))
    # An empty list of the right kind, also where nobody looked at anything.
    none = F.filter("lines", lambda _: F.lit(False))
    return lines.join(looked, "customer_id", "left").withColumn("views", F.coalesce("views", none))


def main(argv: list[str] | None = None) -> None:
    """Read this run's baskets and the champion, stage the styles for their gate."""
    with open_job("predict_styles", arg_parser(__doc__).parse_args(argv)) as job:
        if job.was_published(STYLES.name):
            return
        task, settings = task_and_settings(TASK.name, job.settings, job.source)
        spark = open_session(job.name, settings)
        frames, inputs = read_tables(spark, job, *task.reads)
        rows = customer_lines(frames["baskets"], frames["views"], job.run.business_date)
        job.record.rows_in = rows.count()
        predicted = stage_predictions(spark, job, Registry(settings, job.source.name, task), rows, inputs)
        job.record.details["cold"] = predicted.where("is_cold").count()


if __name__ == "__main__":
    main()
