"""Take in what customers looked at (`views`), for a short-term intent in styles.

Input: the session files of the source. Output: `views`, one row per customer, article and moment before the business
date; empty for a source that describes no `[sessions]`. Lines without a customer, and of kinds that show no interest,
are left out. What cannot be read is counted by its reason in the run's record, and too much of it ends the job.
"""

from datetime import date

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from models.refusal import Refusal
from pipeline.sources.opened import Delivered
from pipeline.sources.pseudonyms import customer_key
from pipeline.sources.session_layout import SessionFiles
from pipeline.sources.source import Source
from pipeline.sources.time_format import has_offset
from pipeline.tables.views import FIRST, LAST, VIEWS
from spark_jobs.delivered import read_delivered, read_time, refuse_unreadable, text
from spark_jobs.line_checks import SHOWN_CHARACTERS, pseudonyms
from spark_jobs.session import Job, arg_parser, open_job, open_session, publish_table

_PLACE = ("source_file", "source_line")


def check_views(raw: DataFrame, source: Source, files: SessionFiles, key: bytes | None = None) -> DataFrame:
    """What each line says: the columns of `views`, whether it is `wanted`, and its `fault`, a reason, column and value.

    Args: key: of a source that pseudonymises its customers.
    """
    customer, shown = text("customer"), text("viewed_at")
    marks = source.customers.no_customer
    customer = F.when(~customer.isin(list(marks)), customer) if marks else customer
    read_at = read_time(shown, files.time_format)
    local = F.from_utc_timestamp(read_at, source.timezone) if has_offset(files.time_format) else read_at
    viewed_on, problem = F.to_date(local), F.col("problem")
    wanted = F.lit(True)
    if files.kinds:
        kinds = [each.strip().lower() for each in files.kinds]
        wanted = F.coalesce(F.lower(text("kind")).isin(kinds), F.lit(False))
    faults = [
        F.when(problem.isNotNull(), _fault(problem)),
        F.when(text("product").isNull(), _fault(F.lit("missing_key"), files.columns.product)),
        F.when(shown.isNull(), _fault(F.lit("missing_key"), files.columns.viewed_at)),
        F.when(read_at.isNull(), _fault(F.lit("unparseable_date"), files.columns.viewed_at, shown)),
        F.when(viewed_on < F.lit(FIRST), _fault(F.lit("overflow"), files.columns.viewed_at, shown)),
        F.when(viewed_on > F.lit(LAST), _fault(F.lit("future_date"), files.columns.viewed_at, shown)),
    ]
    return raw.select(
        *_PLACE,
        (customer if key is None else pseudonyms(customer, key)).alias("customer_id"),
        text("product").alias("product_id"),
        (read_at if has_offset(files.time_format) else F.to_utc_timestamp(read_at, source.timezone)).alias(
            "viewed_at_utc"
        ),
        viewed_on.alias("viewed_on"),
        (wanted & customer.isNotNull()).alias("wanted"),
        F.coalesce(*faults).alias("fault"),
    )


def views_table(checked: DataFrame, business_date: date) -> DataFrame:
    """`views`: what was looked at before the business date; a moment that is said twice is one."""
    known = checked.where(F.col("fault").isNull() & F.col("wanted") & (F.col("viewed_on") < F.lit(business_date)))
    return known.select(*VIEWS.column_names).dropDuplicates(list(VIEWS.key))


def usable(checked: DataFrame, least: float) -> dict[str, int]:
    """Lines that cannot be read, by reason. Args: least: share of the lines that must be readable.

    Raises: Refusal: more are not; the message names one of them.
    """
    place = F.struct(*_PLACE, "fault")
    counted = checked.groupBy("fault.reason").agg(F.count("*").alias("lines"), F.min(place).alias("first")).collect()
    refused = {row.reason: row for row in counted if row.reason is not None}
    total, bad = sum(row.lines for row in counted), sum(row.lines for row in refused.values())
    if bad > (1.0 - least) * total:
        first = max(refused.values(), key=lambda row: (row.lines, row.reason)).first
        where = f" in column {first.fault.column_name!r}" if first.fault.column_name else ""
        what = f": {first.fault.value!r}" if first.fault.value else ""
        raise Refusal(
            f"{bad:,} of {total:,} lines of [sessions] cannot be read, most like {first.source_file} line "
            f"{first.source_line} ({first.fault.reason}{where}{what}); correct [sessions] or the files, or lower "
            "min_usable_share"
        )
    return {reason: row.lines for reason, row in sorted(refused.items())}


def _fault(reason: Column, column: str | None = None, value: Column | None = None) -> Column:
    said = F.lit(None) if value is None else F.substring(value, 1, SHOWN_CHARACTERS)
    return F.struct(reason.alias("reason"), F.lit(column).alias("column_name"), said.cast("string").alias("value"))


def ingest(spark: SparkSession, job: Job, files: SessionFiles) -> None:
    """Publish what the files say. Raises: SourceError: a file is missing or cannot be read; Refusal: see `usable`."""
    source = job.source
    key = customer_key(job.settings, source)
    delivered = [Delivered(path, path.name) for path in source.files_of("sessions", files.files, job.workspace)]
    raw = read_delivered(spark, delivered, source, files, files.read_columns)
    refuse_unreadable(raw)
    checked = check_views(raw, source, files, key).persist(StorageLevel.DISK_ONLY)
    try:
        job.record.rows_in = checked.count()
        job.record.details["refused"] = usable(checked, source.min_usable_share)
        job.record.details["left out"] = checked.where("fault IS NULL AND NOT wanted").count()
        publish_table(views_table(checked, job.run.business_date), job, VIEWS.name, {})
    finally:
        checked.unpersist()


def main(argv: list[str] | None = None) -> None:
    """Read the session files, publish `views`."""
    with open_job("ingest_views", arg_parser(__doc__).parse_args(argv)) as job:
        if job.was_published(VIEWS.name):
            return
        spark, files = open_session(job.name, job.settings), job.source.sessions
        if files is None:
            publish_table(spark.createDataFrame([], VIEWS.ddl), job, VIEWS.name, {}, files=1)
        else:
            ingest(spark, job, files)


if __name__ == "__main__":
    main()
