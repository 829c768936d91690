"""Take the newly delivered sales files in: every line becomes an accepted sale or a refused line with its reason.

Input: the source's sales files. Output: a version of `transactions`, which the gate publishes, and one of
`rejected_transactions`, which is published here.

A *delivery* is the set of files that are new, or whose content changed, since the version that this one follows. Its
files add up, so that one file per store or per hour is fine. The days of its accepted lines replace the same days of
earlier deliveries (with `redelivery = "store_day"`: the same stores' days); all other days are taken over unchanged,
so that every version is complete. A file that is removed changes nothing. Lines dated after the business date are
kept where the source has really got that far (a backfill of an old night): later jobs read only what was sold before
their night. Dates beyond both are refused. Why so: docs/decisions/2026-11-21__deliveries.md.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from pipeline.expectations.audit import audit_and_publish
from pipeline.expectations.suites import import_ahead
from pipeline.lake.lake import Manifest
from pipeline.sources.delivery import Before, last_delivered_day, link_days, new_files, reconciled
from pipeline.sources.pseudonyms import RAW, customer_key, id_scheme, refuse_other_scheme
from pipeline.sources.source import Source
from pipeline.tables.rejected_transactions import REJECTED_TRANSACTIONS
from pipeline.tables.transactions import TRANSACTIONS
from pipeline.workspace import Run, Workspace
from spark_jobs.delivered import read_delivered, refuse_unreadable
from spark_jobs.line_checks import accepted, check_lines, judge_lines, rejected
from spark_jobs.session import arg_parser, open_job, open_session, stage_table


def lines_by_file(frame: DataFrame, *also: str) -> list[Row]:
    """The number of `lines` per file, and per value of further columns."""
    return frame.groupBy("source_file", *also).agg(F.count("*").alias("lines")).collect()


def with_kept_stores(new: DataFrame, stored: DataFrame) -> DataFrame:
    """The new lines, and on their days the stored lines of stores that did not deliver again."""
    again = new.select("sold_on", "store_id").distinct()
    days = again.select("sold_on").distinct()
    kept = stored.join(F.broadcast(days), "sold_on", "semi").join(F.broadcast(again), ["sold_on", "store_id"], "anti")
    return new.unionByName(kept.select(*new.columns))


def ingest(spark: SparkSession, source: Source, workspace: Workspace, run: Run, key: bytes | None = None) -> Manifest:
    """Stage this run's versions of both tables; returns the manifest of `transactions`.

    Args:   key: of a source that pseudonymises its customers.
    Raises: SourceError: for a file that cannot be read or lacks a column; RuntimeError: if lines got lost.
    """
    before = Before.of(workspace.lake)
    if before.version:
        details = workspace.lake.manifest(TRANSACTIONS.name, before.version).details
        refuse_other_scheme(key, details.get("customer_ids", RAW))
    files = source.delivered_files(workspace)
    news = new_files(files, source.folder(workspace), before.files)
    raw = read_delivered(spark, list(news.to_read), source, source, source.sales_columns)
    checked = check_lines(raw, source, key).persist(StorageLevel.DISK_ONLY)
    try:
        refuse_unreadable(checked.where("fault IS NOT NULL").select("fault.*"), "reason", "value")
        found = lines_by_file(checked, "sold_on")
        rows = _counted((row.source_file, row.lines) for row in found)
        last_day = last_delivered_day(source, files, before.lines_by_day + _by_day(found))
        judged = judge_lines(checked, source, max(last_day, run.business_date - timedelta(days=1)))
        folder = _write_days(accepted(judged), source, workspace, run, before.version)
        refused = _stage_rejected(rejected(judged), sorted(rows), workspace, run)
    finally:
        checked.unpersist()
    written = lines_by_file(spark.read.schema(TRANSACTIONS.ddl).parquet(str(folder)), "sold_on")
    taken = _counted((row.source_file, row.lines) for row in written if row.source_file in rows)
    read = reconciled(news.to_read, rows, taken, refused)
    days = _by_day(written)
    replaced = sum(1 for day in days if day in before.lines_by_day)
    if before.version:
        link_days(workspace.lake.path(TRANSACTIONS.name, before.version), folder)
    days |= Counter({day: lines for day, lines in before.lines_by_day.items() if day not in days})
    manifest = Manifest(
        table=TRANSACTIONS.name,
        version=run.run_id,
        business_date=run.business_date,
        rows=days.total(),
        inputs={TRANSACTIONS.name: before.version} if before.version else {},
        details={
            "rows_in": rows.total(),
            "accepted": taken.total(),
            "rejected": refused.total(),
            "files_read": len(news.to_read),
            "files_unchanged": len(files) - len(news.to_read),
            "days_replaced": replaced,
            "last_delivered_day": last_day.isoformat(),
            "customer_ids": id_scheme(key),
            "files": {label: entry.model_dump() for label, entry in (before.files | news.touched | read).items()},
            "lines_by_day": {day.isoformat(): days[day] for day in sorted(days)},
        },
    )
    workspace.lake.describe(manifest)
    return manifest


def main(argv: list[str] | None = None) -> None:
    """Read what is new, stage `transactions` for its gate, publish `rejected_transactions`."""
    with open_job("ingest_transactions", arg_parser(__doc__).parse_args(argv)) as job:
        run, workspace, record = job.run, job.workspace, job.record
        if _is_done(workspace, run):
            manifest = workspace.lake.manifest(TRANSACTIONS.name, run.run_id)
            record.details["already_done"] = True
        else:
            import_ahead()
            spark = open_session(job.name, job.settings)
            manifest = ingest(spark, job.source, workspace, run, customer_key(job.settings, job.source))
            audit_and_publish(spark.range(0), workspace, REJECTED_TRANSACTIONS.name, run.run_id, job.settings)
        counts = manifest.details
        record.rows_in, record.rows_out = counts["rows_in"], counts["accepted"]
        names = ("rejected", "files_read", "files_unchanged", "days_replaced", "last_delivered_day")
        record.details |= {name: counts[name] for name in names} | {"rows_in_table": manifest.rows}


def _is_done(workspace: Workspace, run: Run) -> bool:
    lake = workspace.lake
    staged = lake.is_staged(TRANSACTIONS.name, run.run_id) and lake.is_published(REJECTED_TRANSACTIONS.name, run.run_id)
    return staged or lake.is_published(TRANSACTIONS.name, run.run_id)


def _write_days(new: DataFrame, source: Source, workspace: Workspace, run: Run, version: str | None) -> Path:
    """One file per day, in the order of delivery, so that the same delivery always gives the same bytes of data."""
    if version and source.redelivery == "store_day":
        stored = workspace.lake.path(TRANSACTIONS.name, version)
        new = with_kept_stores(new, new.sparkSession.read.schema(TRANSACTIONS.ddl).parquet(str(stored)))
    folder = workspace.lake.stage(TRANSACTIONS.name, run.run_id)
    ordered = new.repartition("sold_on").sortWithinPartitions("sold_on", "source_file", "source_line")
    ordered.write.partitionBy(*TRANSACTIONS.partition).parquet(str(folder))
    return folder


def _stage_rejected(refused: DataFrame, files: list[str], workspace: Workspace, run: Run) -> Counter[str]:
    """Stage the refused lines beside those of earlier deliveries; returns how many there are per new file.

    What an earlier run refused of these same files, before its gate refused the rest, is not counted twice.
    """
    spark, name = refused.sparkSession, REJECTED_TRANSACTIONS.name
    if version := workspace.lake.current(name):
        earlier = spark.read.schema(REJECTED_TRANSACTIONS.ddl).parquet(str(workspace.lake.path(name, version)))
        refused = refused.unionByName(earlier.where(~F.col("source_file").isin(files)))
    folder, _ = stage_table(refused, workspace, name, run, {}, files=1)
    staged = spark.read.schema(REJECTED_TRANSACTIONS.ddl).parquet(str(folder)).where(F.col("source_file").isin(files))
    return _counted((row.source_file, row.lines) for row in lines_by_file(staged))


def _counted(pairs: Iterable[tuple[Any, int]]) -> Counter[Any]:
    counter: Counter[Any] = Counter()
    for key, lines in pairs:
        counter[key] += lines
    return counter


def _by_day(rows: list[Row]) -> Counter[date]:
    return _counted((row.sold_on, row.lines) for row in rows if row.sold_on is not None)


if __name__ == "__main__":
    main()
