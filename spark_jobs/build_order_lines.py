"""Order lines of known customers with what came back of each (`order_lines`), from accepted sales lines.

Sessions, discounts and sales without a customer are those of `build_baskets`; quantities are those bought, before
returns. A return takes back the customer's newest purchases of that product that are left, where baskets are netted by
the earliest: sums are the same, and how long a line stayed with the customer is right where customers buy a product
again and again. What is brought back in the session in which it was bought was never sold. What is returned beyond all
earlier purchases belongs to no line.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from models.ragged import offsets_of
from models.returns.matching import match_newest_first
from pipeline.tables.order_lines import ORDER_LINES
from spark_jobs.build_baskets import MILLIONTHS, merge_lines, session_lines, spread_discounts
from spark_jobs.session import arg_parser, open_job, open_session, publish_table, read_table
from spark_jobs.sessions import NOBODY, BasketRules, anonymous_ids, basket_key

_PAIR = ["customer_id", "product_id"]
_CAME_BACK = "array<struct<returned_at_utc:timestamp,returned_on:date,quantity:double>>"
_MATCHED = f"basket_key string, product_id string, cancelled bigint, returned {_CAME_BACK}"


def build_order_lines(
    transactions: DataFrame, business_date: date, rules: BasketRules, guests: Sequence[str] = ()
) -> DataFrame:
    """Lines of all sales before the business date, in the contract's columns.

    Args: guests: ids that stand for no customer, see `anonymous_ids`.
    """
    lines, identity = session_lines(transactions, business_date, rules, guests)
    lines = lines.filter(~F.col("customer_id").startswith(NOBODY))
    merged = merge_lines(lines, identity)
    if rules.has_discounts:
        merged = spread_discounts(merged, identity)
    merged = merged.withColumns(
        {
            "basket_key": basket_key(identity),
            "started_at_utc": F.min("sold_at_utc").over(Window.partitionBy(*identity)),
        }
    )
    given = lines.filter(F.col("customer_attributes").isNotNull()).groupBy(*identity)
    attributes = given.agg(
        F.sort_array(F.array_distinct(F.flatten(F.collect_list("customer_attributes")))).alias("said")
    )
    attributes = attributes.select(basket_key(identity).alias("basket_key"), "said")
    local = F.from_utc_timestamp("started_at_utc", rules.timezone)
    kept = F.col("bought") - F.coalesce("cancelled", F.lit(0))
    share_cents = F.expr("cast(paid_cents as decimal(20, 0)) * (bought - coalesce(cancelled, 0)) div bought")
    return (
        merged.filter("bought > 0")
        .join(matched_returns(merged), ["basket_key", "product_id"], "left")
        .join(attributes, "basket_key", "left")
        .filter(kept > 0)
        .select(
            "basket_key",
            "customer_id",
            "store_id",
            "product_id",
            "started_at_utc",
            "sold_on",
            (F.hour(local) + F.minute(local) / 60.0).alias("local_hour"),
            (kept / MILLIONTHS).alias("quantity"),
            F.when(kept == F.col("bought"), F.col("paid_cents"))
            .otherwise(share_cents)
            .cast("bigint")
            .alias("amount_cents"),
            F.col("said").alias("attributes"),
            F.coalesce("returned_later", F.array().cast(_CAME_BACK)).alias("returned"),
        )
    )


def matched_returns(merged: DataFrame) -> DataFrame:
    """Per session and product of which something came back: what in the session itself, and what later."""
    event = F.struct(F.unix_micros("sold_at_utc").alias("micros"), "basket_key", "sold_on", "bought", "returned")
    pairs = (
        merged.groupBy(*_PAIR)
        .agg(F.sort_array(F.collect_list(event)).alias("events"), F.sum("returned").alias("back"))
        .filter("back > 0")
        .select("product_id", "events")
    )
    return pairs.mapInArrow(_match_parts, _MATCHED).withColumnRenamed("returned", "returned_later")


def _match_parts(parts: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Match the returns of some pairs of customer and product."""
    for part in parts:
        if part.num_rows:
            yield match_part(part)


def match_part(part: pa.RecordBatch) -> pa.RecordBatch:
    """One row per purchase of which something came back, from rows of pairs with their events in time order."""
    pairs = pc.list_parent_indices(part["events"]).to_numpy(zero_copy_only=False)
    event = pc.list_flatten(part["events"])
    micros, days, bought, returned = (
        pc.struct_field(event, name)
        .cast(pa.int32() if name == "sold_on" else pa.int64())
        .to_numpy(zero_copy_only=False)
        for name in ("micros", "sold_on", "bought", "returned")
    )
    matched = match_newest_first(pairs, micros, bought, returned)
    is_same = matched.purchases == matched.returns
    n = len(pairs)
    cancelled = np.bincount(matched.purchases[is_same], matched.units[is_same], n).astype(np.int64)
    later = [column[~is_same] for column in matched]
    order = np.lexsort((micros[later[1]], later[0]))
    purchases, returns, units = (column[order] for column in later)
    back = pa.StructArray.from_arrays(
        [
            pa.array(micros[returns]).cast(pa.timestamp("us", "UTC")),
            pa.array(days[returns].astype(np.int32)).cast(pa.date32()),
            pa.array(units / MILLIONTHS),
        ],
        ["returned_at_utc", "returned_on", "quantity"],
    )
    concerned = np.unique(matched.purchases)
    counts = np.bincount(purchases, minlength=n)[concerned]
    rows = pa.array(concerned)
    return pa.RecordBatch.from_pydict(
        {
            "basket_key": pc.struct_field(event, "basket_key").take(rows),
            "product_id": part["product_id"].take(pa.array(pairs[concerned])),
            "cancelled": pa.array(cancelled[concerned]),
            "returned": pa.ListArray.from_arrays(offsets_of(counts).astype(np.int32), back),
        }
    )


def main(argv: list[str] | None = None) -> None:
    """Read this run's transactions, publish its order lines."""
    with open_job("build_order_lines", arg_parser(__doc__).parse_args(argv)) as job:
        if job.was_published(ORDER_LINES.name):
            return
        run, source = job.run, job.source
        spark = open_session(job.name, job.settings)
        transactions, version = read_table(spark, job.workspace, "transactions", run.run_id)
        guests = anonymous_ids(transactions, run.business_date, source.customers.anonymous_share)
        lines = build_order_lines(transactions, run.business_date, BasketRules.of(source), guests)
        job.record.rows_in = transactions.filter(F.col("sold_on") < F.lit(run.business_date)).count()
        publish_table(lines, job, ORDER_LINES.name, {"transactions": version})


if __name__ == "__main__":
    main()
