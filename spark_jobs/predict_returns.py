"""Predict which order lines inside their return window come back (`return_forecasts`), for their gate.

A line is open until `return_days` of the source are over, and as long as nothing of it came back. Probabilities hold as
of the business date: it is known that nothing came since the sale. Before the first champion lines are predicted by the
running rate of their customer and product, and flagged in `fallback`.
"""

from datetime import date, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipeline.tables.order_lines import ORDER_LINES
from pipeline.tables.return_forecasts import RETURN_FORECASTS
from pipeline.tasks.catalog import RETURNS, task_and_settings
from pipeline.tracking.registry import Registry
from spark_jobs.prediction import stage_predictions
from spark_jobs.session import arg_parser, open_job, open_session, read_tables


def customer_lines(order_lines: DataFrame, business_date: date, return_days: int) -> DataFrame:
    """One row per customer with a line inside its return window: `customer_id`, and all `lines` of the customer."""
    columns = [name for name in ORDER_LINES.column_names if name != "customer_id"]
    first_open = F.lit(business_date - timedelta(days=return_days))
    known = order_lines.filter(F.col("sold_on") < F.lit(business_date))
    customers = known.groupBy("customer_id").agg(
        F.collect_list(F.struct(*columns)).alias("lines"), F.max("sold_on").alias("last_sold_on")
    )
    return customers.filter(F.col("last_sold_on") >= first_open).select("customer_id", "lines")


def main(argv: list[str] | None = None) -> None:
    """Read this run's order lines and the champion, stage the forecasts for their gate."""
    with open_job("predict_returns", arg_parser(__doc__).parse_args(argv)) as job:
        if job.was_published(RETURN_FORECASTS.name):
            return
        task, settings = task_and_settings(RETURNS.name, job.settings, job.source)
        spark = open_session(job.name, settings)
        frames, inputs = read_tables(spark, job, *task.reads)
        rows = customer_lines(frames["order_lines"], job.run.business_date, settings.training.return_days)
        job.record.rows_in = rows.count()
        predicted = stage_predictions(spark, job, Registry(settings, job.source.name, task), rows, inputs)
        [total] = predicted.agg(F.sum("expected_units").alias("units")).collect()
        job.record.details["expected_units"] = round(total.units or 0.0, 1)


if __name__ == "__main__":
    main()
