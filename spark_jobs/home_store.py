"""A customer's home store: where most baskets were bought; of equally frequent stores, that of the later basket.

One rule for `sequences` (from which predictions get their store) and `anomalies` (whose customers are compared within
a store), so that one customer has one home store in all tables of a night.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

BASKET_ORDER = ("sold_on", "started_at_utc", "basket_key", "store_id")


def home_store(stores: Column) -> Column:
    """The home store of a customer.

    Args: stores: array<string>, the store of each basket, oldest basket first; not empty.
    """
    candidates = F.transform(
        F.array_distinct(stores),
        lambda store: F.struct(
            F.size(F.filter(stores, lambda visited: visited == store)).alias("visits"),
            (-F.array_position(F.reverse(stores), store)).alias("recency"),
            store.alias("store_id"),
        ),
    )
    return F.when(F.array_min(stores) == F.array_max(stores), stores[0]).otherwise(F.array_max(candidates)["store_id"])


def home_stores(baskets: DataFrame) -> DataFrame:
    """One row per customer, `customer_id` and `home_store_id`; baskets without products do not count."""
    history = F.sort_array(F.collect_list(F.struct(*BASKET_ORDER)))
    return (
        baskets.filter((F.size("products") > 0) & F.col("customer_id").isNotNull())
        .groupBy("customer_id")
        .agg(history.alias("history"))
        .select("customer_id", home_store(F.col("history.store_id")).alias("home_store_id"))
    )
