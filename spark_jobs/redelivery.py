"""What a delivery replaces of the stored lines: what its own earlier version said, and nothing else.

`redelivery` of a source says what an earlier version is:

    file            the file that had the same name; all that it said is replaced
    rolling_file    likewise, but days before the new version's first one stay: the file holds the latest days only
    store_day       what was delivered before of the same stores and days
    day             what was delivered before of the same days
    delivery_id     what was delivered before under the same delivery number

Everything else that is stored stays, and the new lines join it on their days. Why so:
docs/decisions/2026-11-28__redelivery.md.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from pipeline.sources.delivery import label_of
from pipeline.sources.source import Source

_KEYS = {"store_day": ["sold_on", "store_id"], "day": ["sold_on"], "delivery_id": ["delivery_id"]}


class Stored(NamedTuple):
    """The stored lines of the days that a delivery changes: those that stay, and those days' lines before.

    `touched` are the days; `before` counts lines by day and store.
    """

    kept: DataFrame
    touched: list[date]
    before: Counter[tuple[date, str]]


def stored_lines(stored: DataFrame, new: DataFrame, source: Source, earlier: dict[str, str]) -> Stored:
    """What stays of the stored lines on the days that the delivery says something of.

    Args: stored: the version before. new: the delivery's lines that no check refuses for themselves.
          earlier: label under which a file was read before -> label under which it is read now.
    """
    days = {row.sold_on for row in new.select("sold_on").distinct().collect()}
    keys = _KEYS.get(source.redelivery)
    if keys is None:
        replaced = _said_before(source, new, earlier) if earlier else F.lit(False)
        if earlier:
            days |= {row.sold_on for row in stored.where(replaced).select("sold_on").distinct().collect()}
        on_days = stored.where(F.col("sold_on").isin(list(days)))
        kept = on_days.where(~replaced)
    else:
        again = F.broadcast(new.select(*keys).distinct().dropna())
        if "sold_on" not in keys:
            days |= {row.sold_on for row in stored.join(again, keys, "semi").select("sold_on").distinct().collect()}
        on_days = stored.where(F.col("sold_on").isin(list(days)))
        kept = on_days.join(again, keys, "anti").select(*stored.columns)
    return Stored(kept, sorted(days), lines_by_store_day(on_days))


def lines_by_store_day(lines: DataFrame) -> Counter[tuple[date, str]]:
    """Lines by day and store."""
    counted = lines.groupBy("sold_on", "store_id").agg(F.count("*").alias("lines")).collect()
    return Counter({(row.sold_on, row.store_id): row.lines for row in counted})


def shrunk_days(
    before: Counter[tuple[date, str]], after: Counter[tuple[date, str]], source: Source, most: int = 1000
) -> list[str]:
    """In words: days of stores that lost more than `max_shrink_share` of their lines, oldest first."""
    least = 1.0 - source.max_shrink_share
    lost = [(key, lines) for key, lines in sorted(before.items()) if after[key] < lines * least]
    how = '; if the file holds the latest days only, set redelivery = "rolling_file"' if _may_roll(source) else ""
    return [
        f"{day}, store {store}: {lines} lines before, {after[day, store]} after (replaced by {source.redelivery}{how})"
        for (day, store), lines in lost[:most]
    ]


def from_files(labels: Iterable[str]) -> Column:
    """Whether a line is of one of the files; a zip archive's members carry its label before their names."""
    known = sorted(labels)
    of_file = F.col("source_file").isin(known)
    for label in known:
        if label_of(label).lower().endswith(".zip"):
            of_file = of_file | F.col("source_file").startswith(f"{label}/")
    return of_file


def _said_before(source: Source, new: DataFrame, earlier: dict[str, str]) -> Column:
    if source.redelivery == "file":
        return from_files(earlier)
    first = F.min("sold_on").alias("first")
    replaced = F.lit(False)
    for before, now in earlier.items():
        row = new.where(from_files([now])).agg(first).first()
        if row is not None and row["first"] is not None:
            replaced = replaced | (from_files([before]) & (F.col("sold_on") >= F.lit(row["first"])))
    return replaced


def _may_roll(source: Source) -> bool:
    return source.redelivery == "file" and "{date" not in source.files
