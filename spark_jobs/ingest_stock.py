"""What is on the shelf at the opening of the business date, and what will arrive within the horizon.

Input: the source's stock files of the business date and its resupply files. Output: `stock_levels` and `resupplies`.
A source without them gets the plan that models/demand/supply_plan.py derives from its `transactions`; so does one
whose stock files are missing, if its description says `missing = "derive"`. Registers that went below zero count as an
empty shelf; what arrives in several deliveries of one day is added up. A number or day that cannot be read stops the
job, naming file, line and column: with a wrong stock every alert would be wrong.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from models.demand.supply_plan import derive_plan
from pipeline.expectations.audit import audit_and_publish
from pipeline.expectations.suites import import_ahead
from pipeline.settings import DemandSettings
from pipeline.sources.layout import ResupplyFiles, StockFiles
from pipeline.sources.opened import Delivered
from pipeline.sources.source import Source, SourceError
from pipeline.tables.stock import RESUPPLIES, STOCK_LEVELS
from pipeline.workspace import Run, Workspace
from spark_jobs.delivered import UNITS, number, read_delivered, read_time, refuse_unreadable, text
from spark_jobs.session import arg_parser, open_job, open_session, read_table, stage_table

PLAN = "store_id string, product_id string, as_of date, on_hand double, resupplies array<double>"


def daily_units(transactions: DataFrame, history: Mapping[date, int]) -> DataFrame:
    """store_id, product_id, as_of, and `sold`: (days before `as_of`, units) of the trailing days with sales.

    Args: history: days of history by the morning that they precede.
    """
    first = min(as_of - timedelta(days=days) for as_of, days in history.items())
    is_known = F.col("sold_on").between(F.lit(first), F.lit(max(history) - timedelta(days=1)))
    sold = transactions.where(is_known & ~F.col("is_return") & (F.col("amount_cents") >= 0))
    per_day = sold.groupBy("store_id", "product_id", "sold_on").agg(F.sum("quantity").alias("units"))
    mornings = F.array(
        *(F.struct(F.lit(as_of).alias("as_of"), F.lit(days).alias("days")) for as_of, days in history.items())
    )
    ago = F.date_diff("as_of", "sold_on").alias("days_ago")
    by_morning = (
        per_day.withColumn("morning", F.explode(mornings))
        .select("store_id", "product_id", "morning.*", "sold_on", "units")
        .select("*", ago)
        .where(F.col("days_ago").between(F.lit(1), F.col("days")))
    )
    return by_morning.groupBy("store_id", "product_id", "as_of").agg(
        F.collect_list(F.struct("days_ago", "units")).alias("sold")
    )


def derived_plan(sold: DataFrame, history: Mapping[date, int], demand: DemandSettings) -> DataFrame:
    """store_id, product_id, as_of, on_hand and the resupplies by day of the horizon, of every product sold lately."""
    cover_days, horizon_days = demand.plan_cover_days, demand.horizon_days

    def plan(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for as_of, history_days in history.items():
                of = batch.filter(pc.equal(batch.column("as_of"), pa.scalar(as_of)))
                units = np.zeros((len(of), history_days))
                lists = of.column("sold")
                rows = np.repeat(np.arange(len(of)), pc.list_value_length(lists).to_numpy())
                days_ago, per_day = (np.asarray(part) for part in lists.flatten().flatten())
                units[rows, history_days - days_ago] = per_day
                derived = derive_plan(units, as_of, cover_days, horizon_days)
                yield pa.RecordBatch.from_pydict(
                    {
                        **{name: of.column(name) for name in ("store_id", "product_id", "as_of")},
                        "on_hand": pa.array(derived.on_hand),
                        "resupplies": pa.array(derived.resupplies.tolist(), pa.list_(pa.float64())),
                    }
                )

    return sold.mapInArrow(plan, PLAN)


def plan_tables(plan: DataFrame) -> tuple[DataFrame, DataFrame]:
    """The plan as `stock_levels` and `resupplies`, the latter with `as_of`, too."""
    origin = F.lit("derived").alias("origin")
    stock = plan.select("store_id", "product_id", "on_hand", "as_of", origin)
    arriving = plan.select("store_id", "product_id", "as_of", F.posexplode("resupplies").alias("day", "units"))
    arrives_on = F.date_add("as_of", F.col("day")).alias("arrives_on")
    return stock, arriving.where("units > 0").select("store_id", "product_id", arrives_on, "units", origin, "as_of")


def stock_lines(raw: DataFrame, files: StockFiles) -> DataFrame:
    """store_id, product_id, on_hand (0 or more) and source_file of each line; null what cannot be read."""
    on_hand = _on_hand(files)
    at_least_none = F.when(on_hand < 0, 0.0).otherwise(on_hand).alias("on_hand")
    return raw.select(_store(raw), text("product").alias("product_id"), at_least_none, "source_file")


def resupply_lines(raw: DataFrame, files: ResupplyFiles) -> DataFrame:
    """store_id, product_id, arrives_on and units of each line; null what cannot be read."""
    units = _units(files).alias("units")
    return raw.select(_store(raw), text("product").alias("product_id"), _arrives_on(files).alias("arrives_on"), units)


def delivered_stock(raw: DataFrame, source: Source, files: StockFiles, business_date: date) -> DataFrame:
    """`stock_levels` from the lines of all stock files of the business date.

    Raises: SourceError: for a line that cannot be read, or two of one product in one store.
    """
    wrong = {"product": text("product").isNull(), "store": _no_store(raw), "on_hand": _on_hand(files).isNull()}
    _refuse(raw, wrong, files)
    rows = stock_lines(raw, files)
    named = F.array_join(F.sort_array(F.collect_set("source_file")), ", ").alias("files")
    twice = rows.groupBy("store_id", "product_id").agg(F.count("*").alias("lines"), named)
    if (found := twice.where("lines > 1").first()) is not None:
        raise SourceError(
            f"{found.files}: product {found.product_id} of store {found.store_id} has {found.lines} lines"
        )
    origin = F.lit("delivered").alias("origin")
    return rows.select("store_id", "product_id", "on_hand", F.lit(business_date).alias("as_of"), origin)


def delivered_resupplies(raw: DataFrame, files: ResupplyFiles, business_date: date, horizon_days: int) -> DataFrame:
    """`resupplies` of the horizon from the lines of resupply files.

    Raises: SourceError: for a line that cannot be read.
    """
    wrong = {
        "product": text("product").isNull(),
        "store": _no_store(raw),
        "arrives_on": _arrives_on(files).isNull(),
        "units": _units(files).isNull(),
    }
    _refuse(raw, wrong, files)
    rows = resupply_lines(raw, files)
    last = business_date + timedelta(days=horizon_days - 1)
    return (
        rows.where(F.col("arrives_on").between(F.lit(business_date), F.lit(last)) & (F.col("units") > 0))
        .groupBy("store_id", "product_id", "arrives_on")
        .agg(F.sum("units").alias("units"))
        .withColumn("origin", F.lit("delivered"))
    )


def read_stock(spark: SparkSession, source: Source, workspace: Workspace, business_date: date) -> DataFrame | None:
    """The delivered stock; None where it is to be derived.

    Raises: SourceError: when the business date's file is missing (and may not be), or cannot be read.
    """
    files = source.stock
    if files is None:
        return None
    paths = source.stock_files(workspace, business_date)
    if not paths:
        if files.missing == "derive":
            return None
        wanted = source.folder(workspace) / files.files.format(date=business_date)
        raise SourceError(
            f"source {source.name}: no stock file {wanted} for business date {business_date}; deliver it, take a date "
            'that has one, or set `missing = "derive"` under [stock]'
        )
    raw = read_delivered(spark, [Delivered(path, path.name) for path in paths], source, files, files.read_columns)
    return delivered_stock(raw, source, files, business_date)


def read_resupplies(
    spark: SparkSession, source: Source, workspace: Workspace, business_date: date, horizon_days: int
) -> DataFrame | None:
    """The delivered resupplies of the horizon; None where they are to be derived.

    Raises: SourceError: when the files are missing or cannot be read.
    """
    files = source.resupplies
    if files is None:
        return None
    found = source.files_of("resupplies", files.files, workspace)
    delivered = [Delivered(path, path.name) for path in found]
    raw = read_delivered(spark, delivered, source, files, files.read_columns)
    return delivered_resupplies(raw, files, business_date, horizon_days)


def stock_and_resupplies(
    spark: SparkSession, source: Source, workspace: Workspace, run: Run, demand: DemandSettings
) -> tuple[DataFrame, DataFrame, dict[str, str]]:
    """Both tables, each delivered or else derived, and the version of `transactions` if it was needed."""
    stock = read_stock(spark, source, workspace, run.business_date)
    resupplies = read_resupplies(spark, source, workspace, run.business_date, demand.horizon_days)
    if stock is not None and resupplies is not None:
        return stock, resupplies, {}
    transactions, version = read_table(spark, workspace, "transactions", run.run_id)
    first = transactions.agg(F.min("sold_on").alias("day")).first()
    if first is None or first.day is None or first.day >= run.business_date:
        raise SourceError(
            f"source {source.name}: nothing was sold before {run.business_date}, so no plan can be derived"
        )
    history = {run.business_date: min(demand.plan_history_days, (run.business_date - first.day).days)}
    plan = plan_tables(derived_plan(daily_units(transactions, history), history, demand))
    return (
        stock if stock is not None else plan[0],
        resupplies if resupplies is not None else plan[1],
        {"transactions": version},
    )


def main(argv: list[str] | None = None) -> None:
    """Read or derive stock and resupplies, publish both tables."""
    with open_job("ingest_stock", arg_parser(__doc__).parse_args(argv)) as job:
        names = (STOCK_LEVELS.name, RESUPPLIES.name)
        if job.was_published(*names):
            return
        run, workspace = job.run, job.workspace
        import_ahead()
        spark = open_session(job.name, job.settings)
        *frames, inputs = stock_and_resupplies(spark, job.source, workspace, run, job.settings.demand)
        for name, frame in zip(names, frames, strict=True):
            if not workspace.lake.is_published(name, run.run_id):
                stage_table(frame, workspace, name, run, inputs, files=1)
        rows = {
            name: audit_and_publish(spark.range(0), workspace, name, run.run_id, job.settings).rows for name in names
        }
        job.record.rows_out = sum(rows.values())
        job.record.details |= rows


def _store(raw: DataFrame) -> Column:
    return (text("store") if "store" in raw.columns else F.lit("all")).alias("store_id")


def _no_store(raw: DataFrame) -> Column:
    return text("store").isNull() if "store" in raw.columns else F.lit(False)


def _on_hand(files: StockFiles) -> Column:
    return number(text("on_hand"), files, UNITS).cast("double")


def _arrives_on(files: ResupplyFiles) -> Column:
    return F.to_date(read_time(text("arrives_on"), files.date_format))


def _units(files: ResupplyFiles) -> Column:
    """Null where there are fewer than none."""
    units = number(text("units"), files, UNITS).cast("double")
    return F.when(units >= 0, units)


def _refuse(raw: DataFrame, wrong: dict[str, Column], files: StockFiles | ResupplyFiles) -> None:
    """Raises: SourceError: naming file, line and column of the first line with a problem."""
    refuse_unreadable(raw)
    given = files.read_columns
    fault = F.when(F.col("problem").isNotNull(), F.concat(F.col("problem"), F.lit(": "), F.col("line_text")))
    for name, is_wrong in wrong.items():
        if name in given:
            shown = F.concat(F.lit(f"column {given[name]!r} cannot be read: "), F.coalesce(F.col(name), F.lit("empty")))
            fault = fault.when(is_wrong, shown)
    found = raw.select("source_file", "source_line", fault.alias("fault")).where("fault IS NOT NULL")
    first = found.orderBy("source_file", "source_line").first()
    if first is not None:
        raise SourceError(f"{first.source_file}, line {first.source_line}: {first.fault}")


if __name__ == "__main__":
    main()
