"""Sessionize: accepted sales lines -> one row per shopping session (`baskets`).

The source says what one session is: the till's own basket number, all of a customer's lines of one day in one store, or
lines in one store no further apart than a gap in minutes (across midnight too). A receipt that is open at midnight is
one basket, of the day on which it began. Lines of one product in a session become one.

Sales without a customer (no card, or an id that stands for guests: `anonymous_ids`) are baskets as well, by the till's
number, else by the second at which the store sold, else line by line; what comes back without a customer is netted
within its own basket only, since nobody knows whose purchase it was. They count for stores and products, and no
customer is made of them.

Returns take back the customer's earliest purchases of that product that are not yet taken back (first in, first out);
within one session purchases count as made before returns, as when a till line is cancelled. The purchase that is hit
keeps its remaining quantity and that share of its amount, rounded down to a cent. What is returned beyond all earlier
purchases hits nothing. Every return also stays in the `returned` of the session in which it happened. Lines with
quantity zero make no product.

A discount line (amount below 0) lowers what its basket's products cost, its own product first, then all by their share.

Quantities are summed as whole millionths of a unit and money as whole cents, so no result depends on the order of rows.
"""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from pipeline.tables.baskets import BASKETS, LINES
from spark_jobs.session import arg_parser, open_job, open_session, publish_table, read_table
from spark_jobs.sessions import (
    NOBODY,
    SESSION_COLUMNS,
    BasketRules,
    anonymous_ids,
    assign_sessions,
    basket_key,
    join_over_midnight,
    known_sales,
    name_nobody,
)

MILLIONTHS = 1_000_000


def build_baskets(
    transactions: DataFrame, business_date: date, rules: BasketRules, guests: Sequence[str] = ()
) -> DataFrame:
    """Baskets of all sales before the business date, in the contract's columns.

    Args: guests: ids that stand for no customer, see `anonymous_ids`.
    """
    lines, identity = session_lines(transactions, business_date, rules, guests)
    merged = merge_lines(lines.unionByName(taken_back(lines, identity), allowMissingColumns=True), identity)
    if rules.has_discounts:
        merged = spread_discounts(merged, identity)
    return collect_baskets(merged, identity)


def session_lines(
    transactions: DataFrame, business_date: date, rules: BasketRules, guests: Sequence[str]
) -> tuple[DataFrame, list[str]]:
    """Accepted lines before the business date with the columns that tell one session from another, and these columns.

    Quantities are whole millionths of a unit; a line without a customer is of one that stands for it (NOBODY).
    """
    known = known_sales(transactions, business_date, guests)
    if rules.session == "basket_id" and rules.has_times:
        known = join_over_midnight(known, rules.timezone)
    sessions = assign_sessions(name_nobody(known, rules), rules.session, rules.gap_minutes)
    identity = SESSION_COLUMNS[rules.session]
    is_discount = F.col("amount_cents") < 0
    lines = sessions.select(
        *identity,
        *_missing(identity, F.col("store_id"), F.col("sold_on")),
        "product_id",
        "sold_at_utc",
        _whole(F.col("quantity")).alias("quantity"),
        F.when(is_discount, 0).otherwise(F.col("amount_cents")).alias("amount_cents"),
        F.when(is_discount, -F.col("amount_cents")).otherwise(0).alias("discount_cents"),
        "is_return",
        "customer_attributes",
        F.lit(0).cast("bigint").alias("taken_back"),
    )
    return lines, identity


def taken_back(lines: DataFrame, identity: list[str]) -> DataFrame:
    """Per session and product, the quantity that later returns take back, as lines that hold nothing else.

    For one customer and product in time order let C be what was bought and R what was returned so far. Returns that
    found nothing to take back number max(R - C), at least 0; all others took back E units, and first in, first out
    means: the E units bought first. So a purchase that starts at C loses what of [C, C + quantity) lies below E.
    """
    returned_pairs = lines.filter("is_return").select("customer_id", "product_id").distinct()
    events = (
        lines.join(returned_pairs, ["customer_id", "product_id"], "left_semi")
        .groupBy(*identity, "product_id")
        .agg(
            *_missing(identity, F.min("store_id").alias("store_id"), F.min("sold_on").alias("sold_on")),
            F.min("sold_at_utc").alias("sold_at_utc"),
            _sum("quantity", ~F.col("is_return")).alias("bought"),
            _sum("quantity", F.col("is_return")).alias("returned"),
        )
    )
    pair = Window.partitionBy("customer_id", "product_id")
    in_time = pair.orderBy("sold_at_utc", *identity).rowsBetween(Window.unboundedPreceding, Window.currentRow)
    running = events.withColumn("bought_so_far", F.sum("bought").over(in_time)).withColumn(
        "excess", F.sum("returned").over(in_time) - F.col("bought_so_far")
    )
    matched = F.sum("returned").over(pair) - F.greatest(F.max("excess").over(pair), F.lit(0))
    bought_before = F.col("bought_so_far") - F.col("bought")
    return (
        running.withColumn("taken_back", F.least("bought", matched - bought_before))
        .filter("taken_back > 0")
        .select(
            *identity,
            *[name for name in ("store_id", "sold_on") if name not in identity],
            "product_id",
            "sold_at_utc",
            F.lit(0).cast("bigint").alias("quantity"),
            F.lit(0).cast("bigint").alias("amount_cents"),
            F.lit(False).alias("is_return"),
            "taken_back",
        )
    )


def merge_lines(lines: DataFrame, identity: list[str]) -> DataFrame:
    """One row per session and product. One shuffle by customer serves this and the collecting that follows."""
    return (
        lines.repartition("customer_id")
        .groupBy(*identity, "product_id")
        .agg(
            *_missing(identity, F.min("store_id").alias("store_id"), F.min("sold_on").alias("sold_on")),
            F.min("sold_at_utc").alias("sold_at_utc"),
            _sum("quantity", ~F.col("is_return")).alias("bought"),
            _sum("amount_cents", ~F.col("is_return")).alias("paid_cents"),
            _sum("quantity", F.col("is_return")).alias("returned"),
            _sum("amount_cents", F.col("is_return")).alias("refunded_cents"),
            F.sum("discount_cents").alias("discount_cents"),
            F.sum("taken_back").alias("taken_back"),
        )
    )


def spread_discounts(merged: DataFrame, identity: list[str]) -> DataFrame:
    """What was paid after discounts: a product's own first, what is left of them over all products by their share."""
    own = F.least("paid_cents", F.coalesce("discount_cents", F.lit(0)))
    less = merged.withColumns(
        {"paid_cents": F.col("paid_cents") - own, "left_cents": F.coalesce("discount_cents", F.lit(0)) - own}
    )
    whole = Window.partitionBy(*identity)
    so_far = whole.orderBy("product_id").rowsBetween(Window.unboundedPreceding, Window.currentRow)
    sums = less.withColumns(
        {
            "basket_cents": F.sum("paid_cents").over(whole),
            "left_cents": F.sum("left_cents").over(whole),
            "cents_so_far": F.sum("paid_cents").over(so_far),
        }
    )
    # Shares of a running sum, rounded down, add up to the whole to the cent.
    kept = "greatest(basket_cents - left_cents, 0)"
    up_to = f"cast({{}} as decimal(20, 0)) * {kept} div nullif(basket_cents, 0)"
    after = F.expr(f"{up_to.format('cents_so_far')} - {up_to.format('(cents_so_far - paid_cents)')}")
    return sums.withColumn(
        "paid_cents", F.when(F.col("left_cents") > 0, F.coalesce(after, F.lit(0))).otherwise(F.col("paid_cents"))
    )


def collect_baskets(merged: DataFrame, identity: list[str]) -> DataFrame:
    """One row per session with its products and returns as sorted arrays."""
    kept = F.col("bought") - F.col("taken_back")
    share_cents = F.expr("cast(paid_cents as decimal(20, 0)) * (bought - taken_back) div bought")
    kept_cents = F.when(F.col("taken_back") == 0, F.col("paid_cents")).otherwise(share_cents)
    products = F.when(kept > 0, _line(kept, kept_cents))
    returned = F.when(F.col("returned") > 0, _line(F.col("returned"), F.col("refunded_cents")))
    return (
        merged.groupBy(*identity)
        .agg(
            *_missing(identity, F.min("store_id").alias("store_id"), F.min("sold_on").alias("sold_on")),
            F.min("sold_at_utc").alias("started_at_utc"),
            F.sort_array(F.collect_list(products)).cast(LINES).alias("products"),
            F.sort_array(F.collect_list(returned)).cast(LINES).alias("returned"),
            F.sum(kept).alias("kept"),
            F.sum(F.when(kept > 0, kept_cents).otherwise(0)).alias("amount_cents"),
        )
        .select(
            basket_key(identity).alias("basket_key"),
            F.when(~F.col("customer_id").startswith(NOBODY), F.col("customer_id")).alias("customer_id"),
            "store_id",
            "started_at_utc",
            "sold_on",
            "products",
            "returned",
            F.size("products").alias("n_products"),
            (F.col("kept") / MILLIONTHS).alias("quantity"),
            "amount_cents",
        )
    )


def _whole(quantity: Column) -> Column:
    return F.floor(quantity * MILLIONTHS + 0.5)


def _sum(name: str, condition: Column) -> Column:
    return F.sum(F.when(condition, F.col(name)).otherwise(0))


def _missing(identity: list[str], *aggregates: Column) -> list[Column]:
    """The aggregates whose column is no part of the identity already (Spark names neither twice)."""
    return [
        aggregate for aggregate, name in zip(aggregates, ("store_id", "sold_on"), strict=True) if name not in identity
    ]


def _line(quantity: Column, amount_cents: Column) -> Column:
    return F.struct(
        F.col("product_id"),
        (quantity / MILLIONTHS).alias("quantity"),
        amount_cents.alias("amount_cents"),
    )


def _without_customer(transactions: DataFrame, business_date: date, guests: list[str], lines: int) -> dict[str, object]:
    """What the stage says of sales without a customer."""
    is_guest = F.col("customer_id").isNull() | F.col("customer_id").isin(guests)
    count = transactions.filter((F.col("sold_on") < F.lit(business_date)) & is_guest).count()
    return {"share_without_customer": round(count / lines, 4), "anonymous_ids": guests}


def main(argv: list[str] | None = None) -> None:
    """Read this run's transactions, publish its baskets."""
    with open_job("build_baskets", arg_parser(__doc__).parse_args(argv)) as job:
        if job.was_published(BASKETS.name):
            return
        run, source = job.run, job.source
        spark = open_session(job.name, job.settings)
        transactions, version = read_table(spark, job.workspace, "transactions", run.run_id)
        job.record.rows_in = transactions.filter(F.col("sold_on") < F.lit(run.business_date)).count()
        if job.record.rows_in == 0:
            raise ValueError(
                f"transactions version {version} has no line sold before {run.business_date}; "
                "deliver sales of earlier days or take a later business date"
            )
        guests = anonymous_ids(transactions, run.business_date, source.customers.anonymous_share)
        job.record.details |= _without_customer(transactions, run.business_date, guests, job.record.rows_in)
        baskets = build_baskets(transactions, run.business_date, BasketRules.of(source), guests)
        publish_table(baskets, job, BASKETS.name, {"transactions": version})


if __name__ == "__main__":
    main()
