"""Take in what a sales team did: every line becomes an action, says what a case is like, or is refused with its reason.

Input: all files of `[actions]` and `[cases]` of the source. Output: `actions` and `cases` as of the business date, and
`rejected_actions`. What was done on or after the business date is not known then: it is left out, and its case is open.
A case is open until an outcome is said of it; where the source says none, until an action that ends cases, or until
nothing was done for `idle_days`. An outcome bears no date: it counts as known on the day of the case's latest action.
"""

from collections import Counter
from datetime import date, timedelta
from typing import NamedTuple

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame, Row, SparkSession, Window
from pyspark.sql import functions as F

from pipeline.expectations.audit import audit_and_publish
from pipeline.expectations.deliveries import UNUSABLE
from pipeline.expectations.suites import import_ahead
from pipeline.sources.case_layout import ActionFiles, CaseFiles
from pipeline.sources.delivery import file_name
from pipeline.sources.last_day import last_business_day
from pipeline.sources.opened import Delivered
from pipeline.sources.source import Source, SourceError
from pipeline.sources.usable_lines import Refusal, by_reason, unusable
from pipeline.tables.actions import ACTIONS, CASES, REJECTED_ACTIONS
from pipeline.tables.catalog import table as contract
from pipeline.workspace import Workspace
from spark_jobs.case_checks import NUMBERS, check_actions, check_cases, refuse_future, refused
from spark_jobs.delivered import read_delivered, refuse_unreadable
from spark_jobs.line_checks import FAULT
from spark_jobs.session import Job, arg_parser, open_job, open_session, stage_table

_NO_CASES = (
    "source_file string, source_line bigint, case_id string, outcome_said string, attributes array<string>, "
    f"numbers {NUMBERS}, fault {FAULT}"
)


class Checked(NamedTuple):
    """Lines of both kinds of files, each with its `fault`."""

    actions: DataFrame
    cases: DataFrame


def read_checked(spark: SparkSession, source: Source, workspace: Workspace, business_date: date) -> Checked:
    """All delivered lines, judged.

    Raises: SourceError: a source without actions, or files that are missing or cannot be read.
    """
    files = source.actions
    if files is None:
        raise SourceError(f"source {source.name} describes no [actions]")
    lines = check_actions(_read(spark, source, workspace, "actions", files), files, source.timezone)
    lines = lines.persist(StorageLevel.DISK_ONLY)
    days = {row.acted_on: row["count"] for row in lines.where("fault IS NULL").groupBy("acted_on").count().collect()}
    last = max(last_business_day(days) or date.min, business_date - timedelta(days=1))
    cases = spark.createDataFrame([], _NO_CASES)
    if source.cases is not None:
        cases = check_cases(_read(spark, source, workspace, "cases", source.cases), source.cases)
    return Checked(refuse_future(lines, files, last), cases.persist(StorageLevel.DISK_ONLY))


def actions_table(checked: DataFrame, business_date: date) -> DataFrame:
    """`actions`: what was done before the business date."""
    in_order = Window.partitionBy("case_id").orderBy("acted_at_utc", "source_file", "source_line")
    known = checked.where(F.col("fault").isNull() & (F.col("acted_on") < F.lit(business_date)))
    return known.withColumn("position", F.row_number().over(in_order)).select(*ACTIONS.column_names)


def cases_table(checked: Checked, source: Source, business_date: date) -> DataFrame:
    """`cases`: what is known on the business date of each case with an action before it."""
    assert source.actions is not None
    files = source.actions
    good = checked.actions.where(F.col("fault").isNull())
    place = F.struct("acted_at_utc", "source_file", "source_line")
    is_known = F.col("acted_on") < F.lit(business_date)

    def latest(name: str) -> Column:
        """The last value that is said."""
        return F.max_by(name, F.when(is_known & F.col(name).isNotNull(), place))

    done = good.groupBy("case_id").agg(
        F.count_if(is_known).cast("int").alias("n_actions"),
        F.count_if(~is_known).alias("later"),
        F.min(F.when(is_known, F.col("acted_on"))).alias("first_acted_on"),
        F.max(F.when(is_known, F.col("acted_on"))).alias("last_acted_on"),
        latest("agent").alias("agent"),
        latest("action").alias("last_action"),
        latest("outcome_said").alias("outcome_by_actions"),
    )
    line = F.struct("source_file", "source_line")
    said = (
        checked.cases.where(F.col("fault").isNull())
        .groupBy("case_id")
        .agg(
            F.max_by("outcome_said", line).alias("outcome_by_cases"),
            F.max_by("attributes", line).alias("attributes"),
            F.max_by("numbers", line).alias("numbers"),
        )
    )
    joined = done.where("n_actions > 0").join(said, "case_id", "left")
    outcome = _outcome(F.coalesce("outcome_by_cases", "outcome_by_actions"), files)
    ended = F.when(F.col("later") == 0, _ended_on(outcome, source, business_date))
    return joined.select("*", ended.alias("ended_on"), F.when(ended.isNotNull(), outcome).alias("outcome")).select(
        *CASES.column_names
    )


def _outcome(said: Column, files: ActionFiles) -> Column:
    kinds = {"won": files.won_values, "lost": files.lost_values}
    found = [F.when(F.lower(said).isin([each.lower() for each in values]), name) for name, values in kinds.items()]
    return F.coalesce(*found)


def _ended_on(outcome: Column, source: Source, business_date: date) -> Column:
    """The day on which the end was known; null for an open case."""
    files, last = source.actions, F.col("last_acted_on")
    assert files is not None
    if source.says_outcomes:
        return F.when(outcome.isNotNull(), last)
    idle = F.date_add(last, files.idle_days)
    by_action = F.when(F.col("last_action").isin(list(files.end_actions)), last)
    return F.coalesce(by_action, F.when(idle <= F.lit(business_date), idle))


def ingest(spark: SparkSession, job: Job) -> None:
    """Stage and publish the three tables; the record says what became of the lines.

    Raises: AuditFailed: too few lines can be used, or a table breaks its contract; SourceError: see `read_checked`.
    """
    workspace, run, lake = job.workspace, job.run, job.workspace.lake
    checked = read_checked(spark, job.source, workspace, run.business_date)
    try:
        lines = [*_counted(checked.actions, "acted_on"), *_counted(checked.cases)]
        frames = {
            REJECTED_ACTIONS.name: refused(checked.actions, "actions").unionByName(refused(checked.cases, "cases")),
            ACTIONS.name: actions_table(checked.actions, run.business_date),
            CASES.name: cases_table(checked, job.source, run.business_date),
        }
        for name, frame in frames.items():
            if not lake.is_published(name, run.run_id):
                # In order, so that the same files always give the same bytes.
                stage_table(frame.orderBy(*contract(name).key), workspace, name, run, {}, files=1)
    finally:
        checked.actions.unpersist()
        checked.cases.unpersist()
    refusals = [
        Refusal(row.source_file, row.day, row.reason, row.column_name, row.lines) for row in lines if row.reason
    ]
    by_file, by_day = _accepted(lines)
    if not lake.is_published(ACTIONS.name, run.run_id):
        found = unusable(by_file, by_day, refusals, job.source.min_usable_share)
        manifest = lake.manifest(ACTIONS.name, run.run_id)
        lake.describe(manifest.model_copy(update={"details": {UNUSABLE: found}}))
    record = job.record
    record.rows_in, record.details["refused"] = sum(row.lines for row in lines), by_reason(refusals)
    record.details["rejected"] = sum(refusal.lines for refusal in refusals)
    for name in frames:
        audit_and_publish(spark.range(0), workspace, name, run.run_id, job.settings)
    record.rows_out = lake.manifest(ACTIONS.name, run.run_id).rows
    record.details["cases"] = lake.manifest(CASES.name, run.run_id).rows


def main(argv: list[str] | None = None) -> None:
    """Read all files, publish `actions`, `cases` and `rejected_actions`."""
    with open_job("ingest_actions", arg_parser(__doc__).parse_args(argv)) as job:
        if job.was_published(ACTIONS.name, CASES.name, REJECTED_ACTIONS.name):
            return
        import_ahead()
        ingest(open_session(job.name, job.settings), job)


def _read(
    spark: SparkSession, source: Source, workspace: Workspace, name: str, files: ActionFiles | CaseFiles
) -> DataFrame:
    """The lines of a section's files as text. Raises: SourceError: a file is missing or cannot be read."""
    folder = source.folder(workspace)
    found = [Delivered(path, file_name(path, folder)) for path in source.files_of(name, files.files, workspace)]
    raw = read_delivered(spark, found, source, files, files.read_columns)
    refuse_unreadable(raw)
    return raw


def _counted(checked: DataFrame, day: str | None = None) -> list[Row]:
    """Lines by file, day, and reason where they are refused."""
    on = F.col(day) if day else F.lit(None).cast("date")
    by = ("source_file", on.alias("day"), F.col("fault.reason").alias("reason"), F.col("fault.column_name"))
    return checked.groupBy(*by).agg(F.count("*").alias("lines")).collect()


def _accepted(lines: list[Row]) -> tuple[Counter[str], Counter[date]]:
    """Accepted lines by file and by day."""
    by_file: Counter[str] = Counter()
    by_day: Counter[date] = Counter()
    for row in lines:
        if row.reason is None:
            by_file[row.source_file] += row.lines
            if row.day is not None:
                by_day[row.day] += row.lines
    return by_file, by_day


if __name__ == "__main__":
    main()
