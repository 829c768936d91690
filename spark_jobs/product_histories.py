"""What each store sold of each product on its trailing days: one row per pair, as a forecast reads it.

Counted are units bought, before returns: a shelf is emptied by what leaves it. A line unlike any other of its product
counts as one usual purchase (`models/demand/purchases.py`). Where a catalogue says that a product was replaced, its
sales are those of its successor; what was discontinued has no history and is expected nowhere.
"""

from datetime import date
from typing import Any

import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.functions import pandas_udf
from pyspark.sql.types import DoubleType, StructField, StructType

from models.demand.purchases import expected_size, largest_line, purchase_size, quantity_limit

PAIR = ["store_id", "product_id"]
# Units per product: `models/demand/purchases.py`.
SIZES = ("purchase_size", "quantity_limit", "largest_line", "expected_size")


def product_histories(
    transactions: DataFrame, products: DataFrame, stock_levels: DataFrame, first: date, business_date: date
) -> tuple[DataFrame, list[float] | None]:
    """The pairs, and the purchases of all stores by day from `first` on; None where there is one store only.

    Columns: store_id, product_id, units and units_days (arrays, by day), purchases and purchases_days (the same of all
    stores), purchase_size, expected_size, ignored_units, category, price_cents, first_day, empty_now, discontinued_in.
    Days count from `first`, `discontinued_in` from the business date.
    """
    lines = bought_lines(transactions, first, business_date)
    lines = with_successors(lines, successors(products, business_date))
    daily = daily_units(lines, purchase_sizes(lines, products), first).persist()
    pairs = daily.groupBy(*PAIR).agg(
        *_by_day("units"),
        F.first("purchase_size").alias("purchase_size"),
        F.first("expected_size").alias("expected_size"),
        exact_sum(F.col("ignored"), "ignored_units"),
    )
    bought = exact_sum(F.col("units") / F.col("purchase_size"), "purchases")
    in_all = daily.groupBy("product_id", "day").agg(bought)
    by_day = (
        daily.groupBy("day").agg(bought, F.min("store_id").alias("first"), F.max("store_id").alias("last")).collect()
    )
    per_day: list[float] | None = None
    if len({store for row in by_day for store in (row.first, row.last)}) > 1:
        found = {row.day: row.purchases for row in by_day}
        per_day = [found.get(day, 0.0) for day in range((business_date - first).days)]
        arrays = in_all.groupBy("product_id").agg(*_by_day("purchases"))
        pairs = pairs.join(arrays, "product_id", "left")
    else:
        nothing = {"purchases": F.lit(None).cast("array<double>"), "purchases_days": F.lit(None).cast("array<int>")}
        pairs = pairs.withColumns(nothing)
    empty = stock_levels.filter((F.col("origin") == "delivered") & (F.col("on_hand") <= 0)).select(
        *PAIR, F.lit(True).alias("empty_now")
    )
    facts = products.select(
        "product_id",
        "category",
        "price_cents",
        F.datediff("first_sold_on", F.lit(first)).alias("first_day"),
        F.datediff("discontinued_on", F.lit(business_date)).alias("discontinued_in"),
    )
    return pairs.join(facts, "product_id", "left").join(empty, PAIR, "left"), per_day


def bought_lines(transactions: DataFrame, first: date, business_date: date) -> DataFrame:
    """Lines bought from `first` to before the business date."""
    in_time = (F.col("sold_on") >= F.lit(first)) & (F.col("sold_on") < F.lit(business_date))
    return transactions.filter(in_time & ~F.col("is_return") & (F.col("quantity") > 0)).select(
        *PAIR, "sold_on", "quantity"
    )


def successors(products: DataFrame, business_date: date) -> dict[str, str | None]:
    """By product that is no longer sold: what took its place in the end; None where nothing did.

    A product of which the catalogue says that it was replaced is no longer sold, whatever the day.
    """
    is_gone = F.coalesce(F.col("discontinued_on") <= F.lit(business_date), F.lit(False))
    rows = products.filter(is_gone | F.col("replaced_by").isNotNull()).select("product_id", "replaced_by").collect()
    named: dict[str, str | None] = {row.product_id: row.replaced_by for row in rows}

    def last_of(product: str) -> str | None:
        seen = {product}
        while (successor := named[product]) in named:
            if successor in seen:
                return None
            seen.add(successor)
            product = successor
        return successor

    return {product: last_of(product) for product in named}


def with_successors(lines: DataFrame, successor_of: dict[str, str | None]) -> DataFrame:
    """The lines with those of replaced products as their successors', and without those of discontinued ones."""
    if not successor_of:
        return lines
    gone = lines.sparkSession.createDataFrame(
        [(product, successor, True) for product, successor in successor_of.items()],
        "product_id string, successor string, is_gone boolean",
    )
    return (
        lines.join(F.broadcast(gone), "product_id", "left")
        .filter(F.col("is_gone").isNull() | F.col("successor").isNotNull())
        .withColumn("product_id", F.coalesce("successor", "product_id"))
        .drop("is_gone", "successor")
    )


def purchase_sizes(lines: DataFrame, products: DataFrame) -> DataFrame:
    """product_id and `SIZES`: what a product's own lines say, where there are few its category's."""
    of_lines = lines.groupBy("product_id").agg(
        F.percentile("quantity", F.lit(0.5)).alias("median"),
        F.percentile("quantity", F.lit(0.95)).alias("large"),
        F.count("*").alias("lines"),
    )
    named = of_lines.join(products.select("product_id", "category"), "product_id", "left")
    of_category = named.groupBy("category").agg(F.percentile("median", F.lit(0.5)).alias("usual"))
    joined = named.join(of_category, named["category"].eqNullSafe(of_category["category"]))
    return joined.select("product_id", _limits()("median", "large", "lines", "usual").alias("limits")).select(
        "product_id", "limits.*"
    )


def daily_units(lines: DataFrame, sizes: DataFrame, first: date) -> DataFrame:
    """Units per store, product and day as they are learned from, and `ignored`: units of lines that are not."""
    is_odd = F.col("quantity") > F.col("quantity_limit")
    return (
        lines.join(sizes, "product_id")
        .groupBy(*PAIR, F.datediff("sold_on", F.lit(first)).alias("day"))
        .agg(
            exact_sum(F.when(is_odd, F.col("purchase_size")).otherwise(F.least("quantity", "largest_line")), "units"),
            exact_sum(F.when(is_odd, F.col("quantity")).otherwise(0.0), "ignored"),
            F.first("purchase_size").alias("purchase_size"),
            F.first("expected_size").alias("expected_size"),
        )
    )


def _by_day(value: str) -> tuple[Column, Column]:
    """The values in order of days, and the days, as arrays."""
    days = F.array_sort(F.collect_list(F.struct("day", value)))
    return (
        F.transform(days, lambda entry: entry[value]).alias(value),
        F.transform(days, lambda entry: entry["day"]).alias(f"{value}_days"),
    )


def exact_sum(units: Column, name: str) -> Column:
    """Sum as whole billionths of a unit, which does not depend on the order of rows."""
    return (F.sum(F.round(units * 1e9).cast("decimal(38,0)")).cast("double") / 1e9).alias(name)


def _limits() -> Any:
    """`SIZES` of `models/demand/purchases.py` as a Spark function."""
    fields = StructType([StructField(name, DoubleType()) for name in SIZES])

    @pandas_udf(fields)  # type: ignore[call-overload]
    def limits(median: pd.Series, large: pd.Series, lines: pd.Series, usual: pd.Series) -> pd.DataFrame:
        arrays = (median.to_numpy(float), large.to_numpy(float), lines.to_numpy(int), usual.to_numpy(float))
        limit = quantity_limit(*arrays)
        size = purchase_size(arrays[0], arrays[2], arrays[3], limit)
        found = (size, limit, largest_line(size, arrays[2]), expected_size(size, arrays[2], arrays[3]))
        return pd.DataFrame(dict(zip(SIZES, found, strict=True)))

    return limits
