"""Nothing absurd is published: expected weeks against each product's best week and each store's trailing weeks.

What breaks a bound is named in the stage's details. A forecast in which more than `demand.max_share_out_of_bounds` of
the products, or of the stores, expect too much is refused as a whole; a store that expects little is shown alone,
because trade may fall. Only counts and a few examples reach the driver.
"""

import math
from collections import Counter
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from models.demand.bounds import LEAST_UNITS, PRODUCT_LIMIT, STORE_LIMIT
from pipeline.expectations.audit import AuditFailed
from pipeline.settings import DemandSettings

SHOWN = 5
_WEEK = 7


def check_bounds(expected_demand: DataFrame, products: DataFrame, settings: DemandSettings) -> dict[str, Any]:
    """What stands in the stage's details: counts, and of each store and method the worst product.

    Raises: AuditFailed: where too much is out of bounds, with the worst of it.
    """
    rows = _by_store_and_method(_weeks(expected_demand, products, settings.horizon_days)).collect()
    stores: dict[str, tuple[float, float]] = {}
    for row in rows:
        week, trailing = stores.get(row.store_id, (0.0, 0.0))
        stores[row.store_id] = week + row.week, trailing + row.trailing
    ratios = {store: week / trailing for store, (week, trailing) in stores.items() if trailing > 0}
    unlike = {store: ratio for store, ratio in ratios.items() if not 1.0 / STORE_LIMIT <= ratio <= STORE_LIMIT}
    broken = sorted((row for row in rows if row.broken), key=lambda row: (-row.worst.week, row.store_id))
    odd = sorted((row for row in rows if row.odd), key=lambda row: (-row.oddest.ignored_units, row.store_id))
    by_method: Counter[str] = Counter()
    for row in rows:
        by_method[row.method] += row.pairs
    details: dict[str, Any] = {
        "methods": dict(sorted(by_method.items())),
        "products_out_of_bounds": sum(row.broken for row in rows),
        "stores_out_of_bounds": len(unlike),
        "products_with_odd_quantities": sum(row.odd for row in rows),
        "worst_products": [
            f"{row.worst.product_id} in {row.store_id}: {row.worst.week:.0f} a week, "
            f"at most {row.worst.largest_week:.0f} before"
            for row in broken[:SHOWN]
        ],
        "worst_stores": [
            f"{store}: {ratio:.2f} times its trailing weeks"
            for store, ratio in sorted(unlike.items(), key=lambda one: (-abs(math.log(max(one[1], 1e-9))), one[0]))
        ][:SHOWN],
        "odd_quantities": [
            f"{row.oddest.product_id} in {row.store_id}: {row.oddest.ignored_units:.0f} units not learned from"
            for row in odd[:SHOWN]
        ],
    }
    too_much = sum(ratio > STORE_LIMIT for ratio in unlike.values())
    _refuse(details, by_method.total(), too_much, len(stores), settings.max_share_out_of_bounds)
    return details


def _by_store_and_method(pairs: DataFrame) -> DataFrame:
    """One row per store and method: counts, values, the product furthest out of bounds and the oddest one."""
    named = F.struct("product_id", "week", "largest_week", "ignored_units")
    is_odd = F.col("ignored_units") > 0
    return pairs.groupBy("store_id", "method").agg(
        F.count("*").alias("pairs"),
        F.count_if("is_broken").alias("broken"),
        F.count_if(is_odd).alias("odd"),
        F.sum(F.col("week") * F.col("price")).alias("week"),
        F.sum(F.col("trailing_week") * F.col("price")).alias("trailing"),
        F.max_by(named, F.when(F.col("is_broken"), F.struct("week", "product_id"))).alias("worst"),
        F.max_by(named, F.when(is_odd, F.struct("ignored_units", "product_id"))).alias("oddest"),
    )


def _weeks(expected_demand: DataFrame, products: DataFrame, horizon_days: int) -> DataFrame:
    """Each pair's expected seven days, what they are held against, and `is_broken`."""
    week = F.sum("mean") * (_WEEK / horizon_days)
    pairs = expected_demand.groupBy("store_id", "product_id").agg(
        week.alias("week"),
        F.coalesce(F.first("largest_week"), F.lit(0.0)).alias("largest_week"),
        F.coalesce(F.first("trailing_week"), F.lit(0.0)).alias("trailing_week"),
        F.coalesce(F.first("ignored_units"), F.lit(0.0)).alias("ignored_units"),
        F.coalesce(F.first("method"), F.lit("")).alias("method"),
    )
    limit = F.greatest(F.col("largest_week") * PRODUCT_LIMIT, F.lit(LEAST_UNITS))
    prices = products.select("product_id", "price_cents")
    price = F.coalesce("price_cents", F.lit(0.0)).alias("price")
    return pairs.join(prices, "product_id", "left").select("*", price, (F.col("week") > limit).alias("is_broken"))


def _refuse(details: dict[str, Any], pairs: int, odd: int, stores: int, most: float) -> None:
    """Raises: AuditFailed: beyond the share; a handful of products is shown, not refused."""
    broken = details["products_out_of_bounds"]
    if (broken > SHOWN and broken > most * pairs) or odd > most * stores:
        shown = details["worst_products"] + details["worst_stores"]
        raise AuditFailed(
            f"expected demand is refused: {broken} of {pairs} products and {odd} of {stores} stores expect too "
            f"much ({'; '.join(shown)}). Readers keep the previous version; `demand.max_share_out_of_bounds` is {most}"
        )
