"""Which lines are one shopping session, and whose: the source's rule, receipts open at midnight, sales of nobody."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from pipeline.sources.source import Source

SessionRule = Literal["basket_id", "customer_day", "gap_minutes"]

# What distinguishes sessions, beside the customer. A till's numbers may start again each day in each store.
SESSION_COLUMNS: dict[SessionRule, list[str]] = {
    "basket_id": ["customer_id", "store_id", "sold_on", "basket_id"],
    "customer_day": ["customer_id", "sold_on", "store_id"],
    "gap_minutes": ["customer_id", "session_from_utc", "store_id"],
}
_MICROS = 1_000_000
# Begins what stands for the customer of a basket that has none, until the basket is made; no id begins so.
NOBODY = "\u0000"
# A receipt number seen on both sides of midnight within this time is one receipt.
OPEN_MINUTES = 120
# A guest's id has this many times the lines of a middling customer; or so few times as many, on so large a share of
# at least so many days of trade.
GUEST_TIMES = 20
FEW_TIMES, DAILY_SHARE, LEAST_TRADED_DAYS = 5, 0.8, 14


@dataclass(frozen=True)
class BasketRules:
    """What the source says of baskets."""

    session: SessionRule
    gap_minutes: int = 30
    timezone: str = "UTC"
    has_times: bool = True
    has_discounts: bool = False

    @classmethod
    def of(cls, source: Source) -> "BasketRules":
        """Read off the source's description."""
        return cls(
            session=source.session,
            gap_minutes=source.session_gap_minutes,
            timezone=source.timezone,
            has_times=re.search("%[HI]", source.time_format) is not None,
            has_discounts=source.negative_amounts == "discount",
        )


def known_sales(transactions: DataFrame, business_date: date, guests: Sequence[str]) -> DataFrame:
    """The sales before the business date, those of guests without a customer."""
    known = transactions.filter(F.col("sold_on") < F.lit(business_date))
    if guests:
        known = known.withColumn("customer_id", F.when(~F.col("customer_id").isin(list(guests)), F.col("customer_id")))
    return known


def anonymous_ids(transactions: DataFrame, business_date: date, share: float) -> list[str]:
    """Ids that a till writes for guests: `share` of all lines or more, and far above what a customer buys.

    Above GUEST_TIMES of a middling customer alone says so; in a shop of few customers, where nobody can be that far
    above, some times and lines on nearly every day of trade.
    """
    known = transactions.filter((F.col("sold_on") < F.lit(business_date)) & F.col("customer_id").isNotNull())
    counted = known.groupBy("customer_id").agg(F.count("*").alias("lines"), F.count_distinct("sold_on").alias("days"))
    found = counted.agg(
        F.sum("lines").alias("all"),
        F.percentile_approx("lines", 0.5).alias("usual"),
        F.max("lines").alias("most"),
    ).first()
    if (
        found is None
        or found.most is None
        or found.most < share * found["all"]
        or found.most <= FEW_TIMES * found.usual
    ):
        return []
    traded = known.select("sold_on").distinct().count()
    large = counted.where(F.col("lines") >= share * found["all"]).collect()
    return sorted(row.customer_id for row in large if _is_guest(row.lines, row.days, found.usual, traded))


def _is_guest(lines: int, days: int, usual: int, traded: int) -> bool:
    """Whether an id with a large share of all lines is no customer."""
    is_always_there = traded >= LEAST_TRADED_DAYS and days >= DAILY_SHARE * traded
    return lines > (FEW_TIMES if is_always_there else GUEST_TIMES) * usual


def join_over_midnight(lines: DataFrame, timezone: str) -> DataFrame:
    """Lines of a receipt that was open at midnight get the day on which it began."""
    receipt = ["customer_id", "store_id", "basket_id"]
    opened = F.to_utc_timestamp(F.col("sold_on").cast("timestamp"), timezone)
    closed = F.to_utc_timestamp(F.date_add("sold_on", 1).cast("timestamp"), timezone)
    open_time = F.make_dt_interval(mins=F.lit(OPEN_MINUTES))
    is_near = (F.col("sold_at_utc") < opened + open_time) | (F.col("sold_at_utc") >= closed - open_time)
    times = F.min("sold_at_utc").alias("first"), F.max("sold_at_utc").alias("last")
    near = lines.where(is_near).groupBy(*receipt, "sold_on").agg(*times)
    in_time = Window.partitionBy(*receipt).orderBy("sold_on")
    goes_on = (F.lag("sold_on").over(in_time) == F.date_sub("sold_on", 1)) & (
        F.lag("last").over(in_time) >= F.col("first") - open_time
    )
    after = near.withColumn("goes_on", goes_on).where("goes_on")
    after = after.select(*[F.col(name).alias(f"its_{name}") for name in (*receipt, "sold_on")], "first")
    is_same = [F.col(name).eqNullSafe(F.col(f"its_{name}")) for name in (*receipt, "sold_on")]
    is_same.append(F.col("sold_at_utc") < F.col("first") + open_time)
    moved = F.when(F.col("its_sold_on").isNotNull(), F.date_sub("sold_on", 1)).otherwise(F.col("sold_on"))
    return lines.join(F.broadcast(after), is_same, "left").withColumn("sold_on", moved).select(*lines.columns)


def name_nobody(lines: DataFrame, rules: BasketRules) -> DataFrame:
    """Something to stand for the customer in each basket without one, so that no two of them are one customer's."""
    second = F.concat_ws(" ", "store_id", F.unix_micros("sold_at_utc").cast("string"))
    line = F.concat_ws(" ", "source_file", F.col("source_line").cast("string"))
    till = F.concat_ws(" ", "store_id", F.col("sold_on").cast("string"), "basket_id")
    basket = F.when(F.col("basket_id").isNotNull(), till).otherwise(second if rules.has_times else line)
    return lines.withColumn("customer_id", F.coalesce("customer_id", F.concat(F.lit(NOBODY), basket)))


def assign_sessions(transactions: DataFrame, session: SessionRule, gap_minutes: int) -> DataFrame:
    """The lines with every column of the session's identity; only a gap rule has to add one."""
    if session != "gap_minutes":
        return transactions
    in_time = Window.partitionBy("customer_id", "store_id").orderBy("sold_at_utc")
    previous = F.lag("sold_at_utc").over(in_time)
    pause_seconds = (F.unix_micros("sold_at_utc") - F.unix_micros(previous)) / _MICROS
    begins = F.when(previous.isNull() | (pause_seconds > gap_minutes * 60), F.col("sold_at_utc"))
    return transactions.withColumn("begins_at", begins).withColumn(
        "session_from_utc", F.max("begins_at").over(in_time.rangeBetween(Window.unboundedPreceding, 0))
    )


def basket_key(identity: list[str]) -> Column:
    """What makes a session one, hashed; in a source with one store the store has no part in it."""
    parts = [F.col(name).cast("string") for name in identity]
    if "basket_id" not in identity:
        parts[identity.index("store_id")] = F.nullif(F.col("store_id"), F.lit("all"))
    return F.md5(F.concat_ws("\u001f", *parts))
