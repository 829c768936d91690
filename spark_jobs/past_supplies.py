"""What stood on the shelves on past mornings, and what was to arrive, as a night would have read or derived it then.

A morning without a stock file is left out, and so is a line that cannot be read: it stopped, or would have stopped, its
own night. Files and sales of all mornings are read in one pass each.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pipeline.sources.layout import StockFiles
from pipeline.sources.opened import Delivered
from pipeline.sources.reader import check_readable
from pipeline.sources.source import SourceError
from spark_jobs.delivered import read_delivered
from spark_jobs.ingest_stock import daily_units, derived_plan, plan_tables, resupply_lines, stock_lines
from spark_jobs.session import Job, read_table

PAIR = ["store_id", "product_id"]
DAYS_BACK = (28, 21, 14, 7)


class PastSupplies(NamedTuple):
    """What was on the shelves of past mornings, and what was to arrive.

    stock: store_id, product_id, as_of, on_hand, measured (counted, not derived).
    arriving: store_id, product_id, as_of, demand_on, arriving (units).
    missing: mornings of which no stock is known.
    """

    stock: DataFrame
    arriving: DataFrame
    missing: list[date]


def past_supplies(spark: SparkSession, job: Job) -> PastSupplies | None:
    """Supplies of the mornings before the business date; None where no morning has any."""
    mornings = [job.run.business_date - timedelta(days=back) for back in DAYS_BACK]
    stock, counted = _counted(spark, job, mornings)
    arriving = _delivered(spark, job, mornings)
    derives = job.source.stock is None or job.source.stock.missing == "derive"
    uncounted = [as_of for as_of in mornings if derives and as_of not in counted]
    plan = _planned(spark, job, mornings if arriving is None else uncounted)
    if plan is not None:
        planned_stock, planned_arriving, planned = plan
        of_uncounted = planned_stock.where(F.col("as_of").isin(uncounted)) if uncounted else planned_stock.limit(0)
        stock = of_uncounted if stock is None else stock.unionByName(of_uncounted)
        arriving = planned_arriving if arriving is None else arriving
        counted = counted + [as_of for as_of in planned if as_of in uncounted]
    if stock is None or arriving is None or not counted:
        return None
    return PastSupplies(stock, arriving, [as_of for as_of in mornings if as_of not in counted])


def _counted(spark: SparkSession, job: Job, mornings: Sequence[date]) -> tuple[DataFrame | None, list[date]]:
    """Stock of the mornings whose files are all there and readable, and which ones those are."""
    files = job.source.stock
    if files is None:
        return None, []
    delivered: list[Delivered] = []
    counted: list[date] = []
    for as_of in mornings:
        of_morning = [Delivered(path, as_of.isoformat()) for path in job.source.stock_files(job.workspace, as_of)]
        if of_morning and all(_is_readable(each, files) for each in of_morning):
            delivered += of_morning
            counted.append(as_of)
    if not counted:
        return None, []
    raw = read_delivered(spark, delivered, job.source, files, files.read_columns)
    # An archive's members stand behind its label.
    morning = F.to_date(F.substring("source_file", 1, len("2000-01-01"))).alias("as_of")
    lines = stock_lines(raw, files).dropna().select(*PAIR, morning, "on_hand")
    stock = lines.groupBy(*PAIR, "as_of").agg(F.max("on_hand").alias("on_hand"))
    return stock.withColumn("measured", F.lit(True)), counted


def _is_readable(delivered: Delivered, files: StockFiles) -> bool:
    try:
        check_readable(delivered, files, files.read_columns)
    except SourceError:
        return False
    return True


def _delivered(spark: SparkSession, job: Job, mornings: Sequence[date]) -> DataFrame | None:
    """What the resupply files say would arrive in the days from each morning on; None for a source without them."""
    files = job.source.resupplies
    if files is None:
        return None
    delivered = [Delivered(path, path.name) for path in job.source.matching(files.files, job.workspace)]
    lines = resupply_lines(read_delivered(spark, delivered, job.source, files, files.read_columns), files).dropna()
    arriving = lines.groupBy(*PAIR, "arrives_on").agg(F.sum("units").alias("arriving"))
    as_of = F.explode(F.array(*map(F.lit, mornings))).alias("as_of")
    ahead = F.datediff("demand_on", "as_of")
    return arriving.select(*PAIR, as_of, F.col("arrives_on").alias("demand_on"), "arriving").where(
        (ahead >= 0) & (ahead < job.settings.demand.horizon_days)
    )


def _planned(spark: SparkSession, job: Job, mornings: Sequence[date]) -> tuple[DataFrame, DataFrame, list[date]] | None:
    """Derived stock and deliveries, and the mornings before which there was a sale; None where there are none."""
    if not mornings:
        return None
    demand = job.settings.demand
    transactions, _ = read_table(spark, job.workspace, "transactions", job.run.run_id)
    first = transactions.agg(F.min("sold_on").alias("day")).first()
    if first is None or first.day is None:
        return None
    history = {
        as_of: min(demand.plan_history_days, (as_of - first.day).days) for as_of in mornings if as_of > first.day
    }
    if not history:
        return None
    stock, arriving = plan_tables(derived_plan(daily_units(transactions, history), history, demand))
    return (
        stock.select(*PAIR, "as_of", "on_hand", F.lit(False).alias("measured")),
        arriving.select(*PAIR, "as_of", F.col("arrives_on").alias("demand_on"), F.col("units").alias("arriving")),
        list(history),
    )
