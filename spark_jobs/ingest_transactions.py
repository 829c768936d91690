"""Take the newly delivered sales files in: every line becomes an accepted sale or a refused line with its reason.

Input: the source's sales files. Output: versions of `transactions` and `store_days`, which the gate publishes, and one
of `rejected_transactions`, which is published here.

A *delivery* is the set of files that are new, or whose content changed, since the version that this one follows. Its
lines join the stored lines of their days; what it replaces is what its own earlier version said, by the source's
`redelivery` (spark_jobs/redelivery.py). All other days are taken over unchanged, so that every version is complete. A
file that is removed changes nothing. Lines dated after the business date are kept where the source has really got that
far (a backfill of an old night): later jobs read only what was sold before their night. Dates beyond both are refused.

What could not be used, which past days shrank and which days did not come is stated in the manifest; the gate judges
it. Why so: docs/decisions/2026-11-28__redelivery.md.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from pipeline import notices
from pipeline.expectations.audit import audit_and_publish
from pipeline.expectations.deliveries import SHRUNK, UNUSABLE
from pipeline.expectations.suites import import_ahead
from pipeline.lake.lake import Lake, Manifest
from pipeline.sources.cleaning import SHORTENED
from pipeline.sources.delivered_days import missing_days, store_days
from pipeline.sources.delivery import (
    Before,
    ReadFile,
    label_in,
    last_delivered_day,
    link_days,
    new_files,
    reconciled,
    repeating_files,
    skipped_files,
)
from pipeline.sources.pseudonyms import RAW, customer_key, id_scheme, refuse_other_scheme
from pipeline.sources.source import Source
from pipeline.sources.usable_lines import Refusal, by_reason, jump, remembered_nights, unusable
from pipeline.tables.rejected_transactions import REJECTED_TRANSACTIONS
from pipeline.tables.store_days import STORE_DAYS
from pipeline.tables.transactions import TRANSACTIONS
from pipeline.workspace import Run, Workspace
from spark_jobs.delivered import broken_files, broken_off, read_delivered
from spark_jobs.line_checks import (
    SHOWN_CHARACTERS,
    accepted,
    check_lines,
    refuse_future,
    refuse_repeated,
    rejected,
)
from spark_jobs.redelivery import Stored, from_files, lines_by_store_day, shrunk_days, stored_lines
from spark_jobs.session import arg_parser, open_job, open_session, stage_table

BROKEN = "unreadable_file"
# What the stage's record takes from the manifest.
SAID = (
    "rejected",
    "refused",
    "files_read",
    "files_unchanged",
    "days_changed",
    "missing_days",
    "quarantined",
    "skipped",
    "share_without_customer",
    "shortened_ids",
    "last_delivered_day",
    UNUSABLE,
    SHRUNK,
)
SHORTENED_COLUMNS = ("customer_id", "product_id")


class Task(NamedTuple):
    """What a delivery is taken in for."""

    source: Source
    workspace: Workspace
    run: Run
    before: Before
    broken: dict[str, str]


class Taken(NamedTuple):
    """What became of a delivery: lines by file, refusals, and the lines of the days that were written, by store."""

    rows: Counter[str]
    accepted_by_file: Counter[str]
    accepted_by_day: Counter[date]
    refusals: list[Refusal]
    written: Counter[tuple[date, str]]
    stored: Stored
    share_without_customer: float
    shortened_ids: dict[str, int]
    last_day: date
    folder: Path


def ingest(spark: SparkSession, source: Source, workspace: Workspace, run: Run, key: bytes | None = None) -> Manifest:
    """Stage this run's versions of the tables; returns the manifest of `transactions`.

    Args:   key: of a source that pseudonymises its customers.
    Raises: SourceError: for a file that cannot be read or lacks a column; RuntimeError: if lines got lost.
    """
    lake = workspace.lake
    before = Before.of(lake)
    said_before = lake.manifest(TRANSACTIONS.name, before.version).details if before.version else {}
    if before.version:
        refuse_other_scheme(key, said_before.get("customer_ids", RAW))
    files = source.delivered_files(workspace)
    by_file = source.duplicates == "reject" and source.redelivery in ("file", "rolling_file")
    repeating = repeating_files(lake, before.files) if by_file else {}
    news = new_files(files, source.folder(workspace), before.files, repeating)
    broken = broken_files(list(news.to_read), source)
    news = news.without(broken)
    raw = read_delivered(spark, list(news.to_read), source, source, source.sales_columns, key=key)
    checked = check_lines(raw, source, key).persist(StorageLevel.DISK_ONLY)
    try:
        broken |= broken_off(checked, source)
        news = news.without(broken)
        task = Task(source, workspace, run, before, broken)
        taken = _take(checked.where(~from_files(broken)), task, files, news.earlier)
    finally:
        checked.unpersist()
    read = reconciled(news.to_read, taken.rows, taken.accepted_by_file, _lines_by_file(taken.refusals))
    if before.version:
        stored = lake.path(TRANSACTIONS.name, before.version)
        link_days(stored, taken.folder, set(taken.stored.touched))
    days = _days_after(before, taken)
    known = _store_days_before(spark, lake, before.version, taken.stored.touched) + taken.written
    up_to = min(run.business_date - timedelta(days=1), taken.last_day + timedelta(days=28))
    rows = store_days(known, max(up_to, taken.last_day))
    _stage_store_days(spark, rows, workspace, run)
    nights = remembered_nights(said_before.get("nights", {}), run.business_date, taken.rows.total(), taken.refusals)
    manifest = Manifest(
        table=TRANSACTIONS.name,
        version=run.run_id,
        business_date=run.business_date,
        rows=days.total(),
        inputs={TRANSACTIONS.name: before.version} if before.version else {},
        details={
            "rows_in": taken.rows.total(),
            "accepted": taken.accepted_by_file.total(),
            "rejected": sum(refusal.lines for refusal in taken.refusals),
            "refused": by_reason(taken.refusals),
            "share_without_customer": taken.share_without_customer,
            "shortened_ids": taken.shortened_ids,
            "files_read": len(news.to_read),
            "quarantined": broken,
            "skipped": skipped_files(source, workspace),
            "files_unchanged": len(files) - len(news.to_read),
            "days_changed": sum(1 for day in taken.stored.touched if day in before.lines_by_day),
            "missing_days": missing_days(rows, up_to),
            "last_delivered_day": taken.last_day.isoformat(),
            "customer_ids": id_scheme(key),
            UNUSABLE: unusable(
                {label: entry.accepted for label, entry in read.items()},
                taken.accepted_by_day,
                _of_archives(taken.refusals, read),
                source.min_usable_share,
            ),
            SHRUNK: shrunk_days(taken.stored.before, taken.written, source),
            "nights": nights,
            "files": {label: entry.model_dump() for label, entry in _all_files(before, news.touched, read).items()},
            "lines_by_day": {day.isoformat(): days[day] for day in sorted(days)},
        },
    )
    lake.describe(manifest)
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
            if (said := jump(manifest.details["nights"], run.business_date)) is not None:
                notices.send(f"Larder: many lines of {job.source.name} are refused", said)
                record.details["refusals_jumped"] = said
        counts = manifest.details
        record.rows_in, record.rows_out = counts["rows_in"], counts["accepted"]
        record.details |= {name: counts[name] for name in SAID}
        record.details["rows_in_table"] = manifest.rows


def _take(checked: DataFrame, task: Task, files: list[Path], earlier: dict[str, str]) -> Taken:
    """Judge the delivery's lines, write the days that they change and the refused lines."""
    source, workspace, run, before, broken = task
    spark, lake = checked.sparkSession, workspace.lake
    found = _lines_by(checked, "source_file", "sold_on")
    rows = _counted((row.source_file, row.lines) for row in found)
    last_day = last_delivered_day(source, files, before.lines_by_day + _by_day(found), run.business_date)
    dated = refuse_future(checked, source, max(last_day, run.business_date - timedelta(days=1)))
    stored = Stored(_read(spark, TRANSACTIONS.ddl), [], Counter())
    if before.version:
        table = _read(spark, TRANSACTIONS.ddl, lake.path(TRANSACTIONS.name, before.version))
        stored = stored_lines(table, dated.where("fault IS NULL"), source, earlier)
    kept = stored.kept if stored.before else None
    judged = refuse_repeated(dated, source, kept)
    new = accepted(judged)
    folder = _write_days(new if kept is None else new.unionByName(kept), workspace, run)
    noted = [F.count_if(F.col("customer_id").isNull()).alias("nobody"), *_shortened()]
    written = _lines_by(_read(spark, TRANSACTIONS.ddl, folder), "source_file", "sold_on", "store_id", also=noted)
    ours = [row for row in written if row.source_file in rows]
    shortened = {name: sum(row[name] for row in ours) for name in SHORTENED_COLUMNS}
    return Taken(
        rows=rows,
        accepted_by_file=_counted((row.source_file, row.lines) for row in ours),
        accepted_by_day=_by_day(ours),
        refusals=_stage_rejected(rejected(judged), sorted(rows), broken, workspace, run),
        written=_counted(((row.sold_on, row.store_id), row.lines) for row in written),
        stored=stored,
        share_without_customer=round(sum(row.nobody for row in ours) / max(1, sum(row.lines for row in ours)), 4),
        shortened_ids={name: lines for name, lines in shortened.items() if lines},
        last_day=last_day,
        folder=folder,
    )


def _is_done(workspace: Workspace, run: Run) -> bool:
    lake = workspace.lake
    staged = lake.is_staged(TRANSACTIONS.name, run.run_id) and lake.is_published(REJECTED_TRANSACTIONS.name, run.run_id)
    return staged or lake.is_published(TRANSACTIONS.name, run.run_id)


def _write_days(lines: DataFrame, workspace: Workspace, run: Run) -> Path:
    """One file per day, in the order of delivery, so that the same delivery always gives the same bytes of data."""
    folder = workspace.lake.stage(TRANSACTIONS.name, run.run_id)
    ordered = lines.repartition("sold_on").sortWithinPartitions("sold_on", "source_file", "source_line")
    ordered.write.partitionBy(*TRANSACTIONS.partition).parquet(str(folder))
    return folder


def _stage_rejected(
    refused: DataFrame, files: list[str], broken: dict[str, str], workspace: Workspace, run: Run
) -> list[Refusal]:
    """Stage the refused lines beside those of earlier deliveries; returns what was refused of the new files.

    What an earlier run refused of these same files, before its gate refused the rest, is not counted twice. A broken
    file is one row, for as long as it is broken.
    """
    spark, name = refused.sparkSession, REJECTED_TRANSACTIONS.name
    whole: list[tuple[object, ...]] = [
        (file, 1, BROKEN, None, why[:SHOWN_CHARACTERS], None) for file, why in sorted(broken.items())
    ]
    refused = refused.unionByName(spark.createDataFrame(whole, REJECTED_TRANSACTIONS.ddl))
    if version := workspace.lake.current(name):
        earlier = _read(spark, REJECTED_TRANSACTIONS.ddl, workspace.lake.path(name, version))
        refused = refused.unionByName(earlier.where(~F.col("source_file").isin(files) & (F.col("reason") != BROKEN)))
    folder, _ = stage_table(refused, workspace, name, run, {}, files=1)
    staged = _read(spark, REJECTED_TRANSACTIONS.ddl, folder).where(F.col("source_file").isin(files))
    counted = _lines_by(staged, "source_file", "sold_on", "reason", "column_name")
    return [Refusal(row.source_file, row.sold_on, row.reason, row.column_name, row.lines) for row in counted]


def _stage_store_days(spark: SparkSession, rows: list[Any], workspace: Workspace, run: Run) -> None:
    frame = spark.createDataFrame([tuple(row) for row in rows], STORE_DAYS.ddl)
    stage_table(frame, workspace, STORE_DAYS.name, run, {TRANSACTIONS.name: run.run_id}, files=1)


def _store_days_before(
    spark: SparkSession, lake: Lake, version: str | None, touched: list[date]
) -> Counter[tuple[date, str]]:
    """Lines by day and store of the days that this delivery leaves alone."""
    if version is None:
        return Counter()
    if lake.is_published(STORE_DAYS.name, version):
        rows = _read(spark, STORE_DAYS.ddl, lake.path(STORE_DAYS.name, version)).where("lines > 0").collect()
        known = Counter({(row.day, row.store_id): row.lines for row in rows})
    else:
        known = lines_by_store_day(_read(spark, TRANSACTIONS.ddl, lake.path(TRANSACTIONS.name, version)))
    changed = set(touched)
    return Counter({key: lines for key, lines in known.items() if key[0] not in changed})


def _read(spark: SparkSession, ddl: str, folder: Path | None = None) -> DataFrame:
    return spark.createDataFrame([], ddl) if folder is None else spark.read.schema(ddl).parquet(str(folder))


def _days_after(before: Before, taken: Taken) -> Counter[date]:
    changed = set(taken.stored.touched)
    days = Counter({day: lines for day, lines in before.lines_by_day.items() if day not in changed})
    return days + _counted((day, lines) for (day, _), lines in taken.written.items())


def _all_files(before: Before, touched: dict[str, ReadFile], read: dict[str, ReadFile]) -> dict[str, ReadFile]:
    """In the order in which they were read last: the latest content of a name is its last entry."""
    return {label: entry for label, entry in (before.files | touched).items() if label not in read} | read


def _of_archives(refusals: list[Refusal], read: dict[str, ReadFile]) -> list[Refusal]:
    """Members of an archive count as the archive."""
    return [refusal._replace(file=label_in(refusal.file, read)) for refusal in refusals]


def _lines_by(frame: DataFrame, *columns: str, also: Iterable[Column] = ()) -> list[Row]:
    return frame.groupBy(*columns).agg(F.count("*").alias("lines"), *also).collect()


def _shortened() -> list[Column]:
    """Lines whose ids a spreadsheet shortened (4.01E+12): products or customers that it made one of many."""
    # Looking for the letter first costs nothing where there is none.
    return [
        F.count_if(F.col(name).contains("E+") & F.col(name).rlike(SHORTENED)).alias(name) for name in SHORTENED_COLUMNS
    ]


def _lines_by_file(refusals: list[Refusal]) -> Counter[str]:
    return _counted((refusal.file, refusal.lines) for refusal in refusals)


def _counted(pairs: Iterable[tuple[Any, int]]) -> Counter[Any]:
    counter: Counter[Any] = Counter()
    for key, lines in pairs:
        counter[key] += lines
    return counter


def _by_day(rows: list[Row]) -> Counter[date]:
    return _counted((row.sold_on, row.lines) for row in rows if row.sold_on is not None)


if __name__ == "__main__":
    main()
