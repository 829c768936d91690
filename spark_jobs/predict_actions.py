"""Plan the next actions of every open case (`action_plans`), for the gate that publishes them.

The champion plans each case; before the first one, the known remainder that is most similar to all that followed the
same latest actions does, and `fallback` says so.
"""

import numpy as np
import pyarrow.dataset as ds
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from models.baselines.action_remainders import MedoidRemainder
from pipeline.dataset.action_examples import read_log
from pipeline.dataset.action_plan_rows import KnownCases
from pipeline.dataset.attribute_effects import usual_values
from pipeline.dataset.case_weights import case_weights
from pipeline.tables.action_plans import ACTION_PLANS as TABLE
from pipeline.tasks.catalog import SALE_ACTIONS, task_and_settings
from pipeline.tracking.registry import Registry
from spark_jobs.prediction import stage_predictions
from spark_jobs.session import Job, arg_parser, open_job, open_session, read_tables

_MONDAY = 2  # Spark's day of the week


def open_cases(actions: DataFrame, cases: DataFrame) -> DataFrame:
    """One row per open case, with lists of what was done, in order of time (`pipeline.dataset.action_plan_rows`)."""
    known = cases.where("ended_on IS NULL").select("case_id", "agent", "last_acted_on", "attributes", "numbers")
    weekday = (F.dayofweek("acted_on") + (7 - _MONDAY)) % 7
    done = F.struct(
        "position",
        "action",
        F.unix_timestamp("acted_at_utc").alias("second"),
        F.col("local_hour").cast("float").alias("local_hour"),
        weekday.cast("tinyint").alias("weekday"),
    )
    lists = actions.groupBy("case_id").agg(F.sort_array(F.collect_list(done)).alias("done"))
    return known.join(lists, "case_id").select(
        "case_id",
        "agent",
        "last_acted_on",
        "attributes",
        "numbers",
        F.col("done.action").alias("actions"),
        F.col("done.second").alias("seconds"),
        F.col("done.local_hour").alias("local_hours"),
        F.col("done.weekday").alias("weekdays"),
    )


def known_cases(job: Job, inputs: dict[str, str]) -> KnownCases:
    """What followed in the cases that ended, by their latest actions, and what cases are usually like."""
    lake = job.workspace.lake
    actions, cases = (lake.path(name, inputs[name]) for name in SALE_ACTIONS.reads)
    named = read_log(actions, cases)
    weights = case_weights(named.log.won, named.agents, np.isfinite(named.ended_days), job.source.action_rules)
    counts = MedoidRemainder()
    method: MedoidRemainder | None = counts
    try:
        counts.fit(named.log, weights)
    except ValueError:
        method = None
    said = ds.dataset(cases, format="parquet").to_table(columns=["attributes", "numbers"])
    usual = usual_values(said["attributes"].to_pylist(), said["numbers"].to_pylist())
    return KnownCases(named.action_names, method, usual)


def main(argv: list[str] | None = None) -> None:
    """Read this run's cases and the champion, stage the plans for their gate."""
    with open_job("predict_actions", arg_parser(__doc__).parse_args(argv)) as job:
        if job.was_published(TABLE.name):
            return
        task, settings = task_and_settings(SALE_ACTIONS.name, job.settings, job.source)
        spark = open_session(job.name, settings)
        frames, inputs = read_tables(spark, job, *task.reads)
        rows = open_cases(frames["actions"], frames["cases"])
        job.record.rows_in = rows.count()
        registry = Registry(settings, job.source.name, task)
        statistics = known_cases(job, inputs)
        predicted = stage_predictions(spark, job, registry, rows, inputs, statistics=statistics)
        flagged = predicted.filter("fallback IS NOT NULL").groupBy("fallback").count()
        job.record.details["fallback"] = {row.fallback: row["count"] for row in flagged.collect()}


if __name__ == "__main__":
    main()
