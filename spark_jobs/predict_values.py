"""Value of every customer with a basket before the business date (`customer_values`), for the gate that publishes it.

The champion predicts; before the first one a closed form, fitted tonight, does, and `fallback` says so. Quintiles are
cut among all customers of the night.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipeline.tables.customer_days import CUSTOMER_DAYS
from pipeline.tables.customer_values import CUSTOMER_VALUES as TABLE
from pipeline.tasks.catalog import CUSTOMER_VALUES, task_and_settings
from pipeline.tracking.registry import Registry
from spark_jobs.prediction import stage_predictions
from spark_jobs.session import arg_parser, open_job, open_session, read_tables


def customer_rows(days: DataFrame) -> DataFrame:
    """One row per customer who ever bought: `customer_id` and `days`, structs in order of time."""
    day = F.struct(F.unix_date("sold_on").alias("day"), "lines", "bought_cents", "returned_cents")
    return (
        days.groupBy("customer_id")
        .agg(F.sort_array(F.collect_list(day)).alias("days"), F.sum("lines").alias("lines"))
        .filter("lines > 0")
        .select("customer_id", "days")
    )


def main(argv: list[str] | None = None) -> None:
    """Read this run's days and the champion, stage the values for their gate."""
    with open_job("predict_values", arg_parser(__doc__).parse_args(argv)) as job:
        if job.was_published(TABLE.name):
            return
        task, settings = task_and_settings(CUSTOMER_VALUES.name, job.settings)
        spark = open_session(job.name, settings)
        frames, inputs = read_tables(spark, job, *task.reads)
        rows = customer_rows(frames[CUSTOMER_DAYS.name])
        job.record.rows_in = rows.count()
        predicted = stage_predictions(spark, job, Registry(settings, job.source.name, task), rows, inputs)
        by_method = predicted.groupBy("method").count().collect()
        job.record.details["methods"] = {row.method: row["count"] for row in by_method}


if __name__ == "__main__":
    main()
