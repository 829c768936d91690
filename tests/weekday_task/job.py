"""The toy's job: read baskets, predict every product on every weekday, stage the table for its gate."""

from pyspark.sql import functions as F

from pipeline.tasks.catalog import task_and_settings
from pipeline.tracking.registry import Registry
from spark_jobs.prediction import stage_predictions
from spark_jobs.session import arg_parser, open_job, open_session, read_tables


def main(task_name: str, argv: list[str]) -> None:
    """Stage `weekday_units`."""
    with open_job(f"predict_{task_name}", arg_parser(__doc__).parse_args(argv)) as job:
        task, settings = task_and_settings(task_name, job.settings)
        if job.was_published(task.writes.name):
            return
        spark = open_session(job.name, settings)
        frames, inputs = read_tables(spark, job, "baskets")
        lines = frames["baskets"].select("sold_on", F.explode("products").alias("line"))
        n_days = lines.select("sold_on").distinct().count()
        totals = lines.groupBy("line.product_id").agg(F.sum("line.quantity").alias("units"))
        flat = {row.product_id: row.units / n_days for row in totals.collect()}
        registry = Registry(settings, job.source.name, task)
        stage_predictions(spark, job, registry, totals.select("product_id"), inputs, statistics=flat)
