"""Try a source's description: which of its first lines would the night refuse, and why.

`larder source check` runs this before anything is ingested. Input: the first sales lines in the order of the files.
Output: what ingest's own checks say of them, on the terminal; nothing is written. How far the source has got is not
known here, so no date counts as lying in the future, and a line counts as repeated only among those tried.
"""

import argparse
import sys
from collections import Counter

from pyspark.sql import Row, SparkSession

from pipeline.settings import Settings
from pipeline.sources.delivery import file_name
from pipeline.sources.pseudonyms import customer_key
from pipeline.sources.reader import Delivered
from pipeline.sources.source import Source, SourceError, load_source
from pipeline.terminal import print_table
from pipeline.workspace import Workspace
from spark_jobs.delivered import read_first
from spark_jobs.line_checks import check_lines, refuse_repeated, rejected
from spark_jobs.session import open_session

SHOWN_LINES = 3  # of each reason


def try_lines(
    spark: SparkSession, source: Source, workspace: Workspace, most: int, key: bytes | None = None
) -> tuple[int, list[Row]]:
    """How many lines were tried, at most `most`, and which of them would be refused: `rejected_transactions`.

    Raises: SourceError: when there are no files, or one cannot be read or lacks a column.
    """
    folder = source.folder(workspace)
    files = [Delivered(path, file_name(path, folder)) for path in source.delivered_files(workspace)]
    raw = read_first(spark, files, source, most)
    judged = refuse_repeated(check_lines(raw, source, key), source)
    return raw.count(), sorted(rejected(judged).collect(), key=lambda row: (row.source_file, row.source_line))


def show(tried: int, refused: list[Row]) -> None:
    """Print how many lines each reason costs, and the first of them."""
    print(f"{tried:,} lines tried: {tried - len(refused):,} would be accepted, {len(refused):,} refused")
    if not refused:
        return
    counts = Counter((row.reason, row.column_name) for row in refused)
    rows: list[list[object]] = []
    for (reason, column), lines in counts.most_common():
        first = [row for row in refused if (row.reason, row.column_name) == (reason, column)][:SHOWN_LINES]
        cells = [[row.source_file, row.source_line, row.value or ""] for row in first]
        rows.append([reason, column or "", f"{lines:,}", *cells[0]])
        rows += [["", "", "", *cell] for cell in cells[1:]]
    headings = {"refused for": "left", "your column": "left", "lines": "right"}
    print_table("", headings | {"first in file": "left", "line": "right", "what stands there": "fold"}, rows)


def main(argv: list[str] | None = None) -> None:
    """Try the lines and print what was found; SystemExit(1) where not one would be accepted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", required=True, help="a shipped source or a path to a TOML description")
    parser.add_argument("--lines", type=int, default=20_000, help="how many lines to try")
    arguments = parser.parse_args(argv)
    settings = Settings()
    try:
        source = load_source(arguments.source)
        key = customer_key(settings, source)
        spark = open_session("try_lines", settings)
        tried, refused = try_lines(spark, source, Workspace.of(settings, source.name), arguments.lines, key)
    except SourceError as error:
        sys.exit(str(error))
    show(tried, refused)
    if refused and len(refused) == tried:
        sys.exit(f"source {source.name}: none of the {tried:,} lines tried would be accepted")


if __name__ == "__main__":
    main()
