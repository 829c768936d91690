"""Try a source's description: which of its lines would the night refuse, and why.

`larder source check` runs this before anything is ingested. Input: all sales lines, or the first in the order of the
files. Output: what ingest's own checks say of them, on the terminal; nothing is written. How far the source has got is
not known here, so no date counts as lying in the future, and a line counts as repeated only among those tried.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Any, NamedTuple

from pyspark import StorageLevel
from pyspark.sql import DataFrame, Row, SparkSession, Window
from pyspark.sql import functions as F

from pipeline.settings import Settings
from pipeline.sources.cleaning import SHORTENED
from pipeline.sources.delivered_days import missing_days, store_days
from pipeline.sources.delivery import file_name, skipped_files
from pipeline.sources.hints import Trial, hints
from pipeline.sources.last_day import last_business_day
from pipeline.sources.opened import Delivered
from pipeline.sources.pseudonyms import customer_key
from pipeline.sources.source import Source, SourceError, load_source
from pipeline.sources.usable_lines import Refusal, unusable
from pipeline.terminal import print_table
from pipeline.workspace import Workspace
from spark_jobs.delivered import broken_off, read_delivered, read_first
from spark_jobs.line_checks import accepted, check_lines, refuse_repeated, rejected
from spark_jobs.redelivery import lines_by_store_day
from spark_jobs.session import open_session
from spark_jobs.sessions import anonymous_ids

SHOWN_LINES = 3  # of each reason


class Found(NamedTuple):
    """What a trial found, and of each reason and column the first refused lines."""

    trial: Trial
    examples: dict[tuple[str, str | None], list[Row]]


def try_lines(
    spark: SparkSession, source: Source, workspace: Workspace, most: int | None, key: bytes | None = None
) -> Found:
    """What becomes of the first `most` lines, or of all.

    Raises: SourceError: when there are no files, or one cannot be read or lacks a column.
    """
    folder = source.folder(workspace)
    files = [Delivered(path, file_name(path, folder)) for path in source.delivered_files(workspace)]
    if most is None:
        raw = read_delivered(spark, files, source, source, source.sales_columns, key=key)
    else:
        raw = read_first(spark, files, source, most)
    checked = check_lines(raw, source, key).persist(StorageLevel.DISK_ONLY)
    broken_off(checked, source)
    judged = refuse_repeated(checked, source).persist(StorageLevel.DISK_ONLY)
    counted = judged.groupBy("source_file", "day_read", "fault.reason", "fault.column_name")
    rows = counted.agg(F.count("*").alias("lines"), F.count_if(F.col("customer_id").isNull()).alias("nobody")).collect()
    refusals = [
        Refusal(row.source_file, row.day_read, row.reason, row.column_name, row.lines) for row in rows if row.reason
    ]
    taken = [row for row in rows if not row.reason]
    good = accepted(judged)
    return Found(
        Trial(
            tried=sum(row.lines for row in rows),
            refused=_counted(((each.reason, each.column), each.lines) for each in refusals),
            without_customer=sum(row.nobody for row in taken),
            shortened=_shortened(good),
            guests=anonymous_ids(good, date.max, source.customers.anonymous_share) if key is None else [],
            unusable=unusable(
                _counted((row.source_file, row.lines) for row in taken),
                _counted((row.day_read, row.lines) for row in taken),
                refusals,
                source.min_usable_share,
            ),
            missing_days=_missing(good),
            skipped=skipped_files(source, workspace),
        ),
        _examples(rejected(judged)),
    )


def show(found: Found, source: Source) -> None:
    """Print how many lines each reason costs, the first of them, and what would mend them."""
    trial = found.trial
    refused = sum(trial.refused.values())
    print(f"{trial.tried:,} lines tried: {trial.tried - refused:,} would be accepted, {refused:,} refused")
    rows: list[list[object]] = []
    # Of equally frequent reasons the one that comes first in the files.
    for reason, column in sorted(found.examples, key=lambda each: -trial.refused[each]):
        lines = trial.refused[reason, column]
        cells = [[row.source_file, row.source_line, row.value or ""] for row in found.examples[reason, column]]
        rows.append([reason, column or "", f"{lines:,}", *cells[0]])
        rows += [["", "", "", *cell] for cell in cells[1:]]
    if rows:
        headings = {"refused for": "left", "your column": "left", "lines": "right"}
        print_table("", headings | {"first in file": "left", "line": "right", "what stands there": "fold"}, rows)
    for sentence in hints(source, trial):
        print(sentence)


def _examples(refused: DataFrame) -> dict[tuple[str, str | None], list[Row]]:
    order = Window.partitionBy("reason", "column_name").orderBy("source_file", "source_line")
    first = refused.withColumn("number", F.row_number().over(order)).where(F.col("number") <= SHOWN_LINES)
    found: dict[tuple[str, str | None], list[Row]] = {}
    for row in sorted(first.collect(), key=lambda row: (row.source_file, row.source_line)):
        found.setdefault((row.reason, row.column_name), []).append(row)
    return found


def _shortened(good: DataFrame) -> dict[str, str]:
    """Of each column with ids that a spreadsheet shortened, one of them."""
    ids = {"product": "product_id", "customer": "customer_id"}
    row = good.agg(
        *(F.min(F.when(F.col(ours).rlike(SHORTENED), F.col(ours))).alias(name) for name, ours in ids.items())
    ).first()
    return {name: row[name] for name in ids if row is not None and row[name] is not None}


def _missing(good: DataFrame) -> list[str]:
    lines = lines_by_store_day(good)
    if not lines:
        return []
    last = last_business_day(_counted((day, count) for (day, _), count in lines.items())) or max(
        day for day, _ in lines
    )
    return missing_days(store_days(lines, last), last)


def _counted(pairs: Iterable[tuple[Any, int]]) -> Counter[Any]:
    counter: Counter[Any] = Counter()
    for key, lines in pairs:
        counter[key] += lines
    return counter


def main(argv: list[str] | None = None) -> None:
    """Try the lines and print what was found; SystemExit(1) where not one would be accepted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", required=True, help="a shipped source or a path to a TOML description")
    parser.add_argument("--lines", type=int, help="how many lines to try; all by default")
    arguments = parser.parse_args(argv)
    settings = Settings()
    try:
        source = load_source(arguments.source)
        key = customer_key(settings, source)
        spark = open_session("try_lines", settings)
        found = try_lines(spark, source, Workspace.of(settings, source.name), arguments.lines, key)
    except SourceError as error:
        sys.exit(str(error))
    show(found, source)
    tried = found.trial.tried
    if tried and sum(found.trial.refused.values()) == tried:
        sys.exit(f"source {source.name}: none of the {tried:,} lines tried would be accepted")


if __name__ == "__main__":
    main()
