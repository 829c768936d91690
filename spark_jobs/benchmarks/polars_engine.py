"""Baskets, vocabulary and sequences in Polars: the same rules as the Spark jobs, for the session rule `basket_id`.

Written from the tables' contracts, not from the Spark code, so that equal hashes say something about both.
"""

import hashlib
from datetime import date
from pathlib import Path

import polars as pl

from pipeline.settings import SequenceSettings
from pipeline.tables.vocabulary import FIRST_PRODUCT_INDEX, UNKNOWN_INDEX

SESSION = ["customer_id", "store_id", "sold_on", "basket_id"]
PAIR = ["customer_id", "product_id"]
FUNNEL = ["funnel_kind", "funnel_id"]
IN_TIME = ["sold_on", "started_at_utc", "basket_key"]
BASKET = ["store_id", *IN_TIME, "products", "quantities", "amounts_cents"]
MILLIONTHS = 1_000_000


class PolarsEngine:
    """Polars keeps nothing between runs."""

    def run(self, lines: Path, out: Path, business_date: date, settings: SequenceSettings) -> None:
        """Read the lines, write `baskets`, `vocabulary` and `sequences` as Parquet under `out`."""
        sales = pl.scan_parquet(
            f"{lines}/*/*.parquet", hive_partitioning=True, hive_schema={"sold_on": pl.Date}
        ).filter(pl.col("sold_on") < business_date)
        kept = netted_lines(sales)
        baskets = collected_baskets(kept)
        vocabulary = known_products(kept, sales, settings)
        sequences = collected_sequences(kept, baskets, vocabulary, settings)
        for name, frame in {"baskets": baskets, "vocabulary": vocabulary, "sequences": sequences}.items():
            (out / name).mkdir(parents=True)
            frame.write_parquet(out / name / "part.parquet", compression="snappy")


def netted_lines(sales: pl.LazyFrame) -> pl.DataFrame:
    """One row per session and product, returns taken back first in, first out."""
    units = (pl.col("quantity") * MILLIONTHS + 0.5).floor().cast(pl.Int64)
    back = pl.col("is_return")
    merged = (
        sales.group_by([*SESSION, "product_id"])
        .agg(
            pl.col("sold_at_utc").min(),
            units.filter(~back).sum().alias("bought"),
            pl.col("amount_cents").filter(~back).sum().alias("paid_cents"),
            units.filter(back).sum().alias("returned"),
            pl.col("amount_cents").filter(back).sum().alias("refunded_cents"),
        )
        .collect(engine="streaming")
    )
    pairs = merged.filter(pl.col("returned") > 0).select(PAIR).unique()
    taken = (
        merged.join(pairs, on=PAIR, how="semi")
        .sort("sold_at_utc", *SESSION)
        .with_columns(
            pl.col("bought").cum_sum().over(PAIR).alias("bought_so_far"),
            pl.col("returned").cum_sum().over(PAIR).alias("returned_so_far"),
        )
        .with_columns(
            (
                pl.col("returned").sum().over(PAIR)
                - pl.max_horizontal((pl.col("returned_so_far") - pl.col("bought_so_far")).max().over(PAIR), 0)
            ).alias("matched")
        )
        .select(
            *SESSION,
            "product_id",
            pl.min_horizontal("bought", pl.col("matched") - pl.col("bought_so_far") + pl.col("bought")).alias("taken"),
        )
        .filter(pl.col("taken") > 0)
    )
    left = pl.col("bought") - pl.col("taken")
    share = (pl.col("paid_cents").cast(pl.Int128) * left // pl.col("bought").replace(0, 1)).cast(pl.Int64)
    return (
        merged.join(taken, on=[*SESSION, "product_id"], how="left")
        .with_columns(pl.col("taken").fill_null(0))
        .with_columns(
            left.alias("quantity"),
            # A column, because Polars turns a constant divisor into a factor, which is not always the nearest double.
            (pl.int_range(pl.len()) * 0 + MILLIONTHS).cast(pl.Float64).alias("millionths"),
            pl.when(pl.col("taken") == 0).then("paid_cents").otherwise(share).alias("amount_cents"),
        )
        .sort("product_id")
    )


def collected_baskets(kept: pl.DataFrame) -> pl.DataFrame:
    """One row per session."""
    line = pl.struct("product_id", (pl.col("quantity") / pl.col("millionths")).alias("quantity"), "amount_cents")
    back = pl.struct(
        "product_id",
        (pl.col("returned") / pl.col("millionths")).alias("quantity"),
        pl.col("refunded_cents").alias("amount_cents"),
    )
    stays = pl.col("quantity") > 0
    baskets = kept.group_by(SESSION, maintain_order=False).agg(
        pl.col("sold_at_utc").min().alias("started_at_utc"),
        line.filter(stays).alias("products"),
        back.filter(pl.col("returned") > 0).alias("returned"),
        stays.sum().cast(pl.Int32).alias("n_products"),
        pl.col("quantity").sum() / pl.col("millionths").first(),
        pl.col("amount_cents").filter(stays).sum(),
    )
    identity = baskets.select(pl.concat_str([pl.col(name).cast(pl.String) for name in SESSION], separator="\u001f"))
    keys = [hashlib.md5(text.encode()).hexdigest() for text in identity.to_series()]
    return baskets.with_columns(pl.Series("basket_key", keys))


def known_products(kept: pl.DataFrame, sales: pl.LazyFrame, settings: SequenceSettings) -> pl.DataFrame:
    """Frequent products, most frequent first, with category and price."""
    categories = (
        sales.filter(pl.col("category").is_not_null())
        .group_by("product_id", "category")
        .agg(pl.len().alias("n"))
        .sort("n", "category", descending=[True, False])
        .group_by("product_id", maintain_order=True)
        .agg(pl.col("category").first())
        .collect(engine="streaming")
    )
    known = (
        kept.filter(pl.col("quantity") > 0)
        .group_by("product_id")
        .agg(
            pl.len().cast(pl.Int64).alias("n_baskets"),
            (pl.col("amount_cents").sum() * 1e6 / pl.col("quantity").sum()).alias("unit_price_cents"),
        )
        .filter(pl.col("n_baskets") >= settings.min_product_count)
        .sort("n_baskets", "product_id", descending=[True, False])
        .join(categories, on="product_id", how="left", maintain_order="left")
        .with_row_index("product_index", offset=FIRST_PRODUCT_INDEX)
    )
    digest = hashlib.sha256("\n".join(known["product_id"]).encode()).hexdigest()
    return known.with_columns(pl.lit(digest).alias("vocabulary_hash"))


def collected_sequences(
    kept: pl.DataFrame, baskets: pl.DataFrame, vocabulary: pl.DataFrame, settings: SequenceSettings
) -> pl.DataFrame:
    """Customers' and stores' latest baskets as parallel arrays."""
    indices = vocabulary.select("product_id", pl.col("product_index").cast(pl.Int32))
    sold = kept.filter(pl.col("quantity") > 0).join(indices, on="product_id", how="left", maintain_order="left")
    sold = sold.with_columns(pl.col("product_index").fill_null(UNKNOWN_INDEX))
    customers = _largest(sold.group_by(SESSION), settings)
    customers = customers.join(baskets.select(*SESSION, "started_at_utc", "basket_key"), on=SESSION).select(
        pl.lit("customer").alias("funnel_kind"), pl.col("customer_id").alias("funnel_id"), *BASKET
    )
    store_sums = sold.group_by("store_id", "sold_on", "product_id", "product_index").agg(
        pl.col("quantity").sum(), pl.col("amount_cents").sum(), pl.col("millionths").first()
    )
    stores = _largest(store_sums.sort("product_id").group_by("store_id", "sold_on"), settings).with_columns(
        pl.lit(None, pl.Datetime("us", "UTC")).alias("started_at_utc"), pl.lit("").alias("basket_key")
    )
    stores = stores.select(pl.lit("store").alias("funnel_kind"), pl.col("store_id").alias("funnel_id"), *BASKET)
    in_order = pl.concat([customers, stores]).sort(*FUNNEL, *IN_TIME)
    day, products, quantities, amounts_cents = (
        pl.col(name).tail(settings.max_baskets) for name in ("sold_on", "products", "quantities", "amounts_cents")
    )
    gap = (pl.col("sold_on") - pl.col("sold_on").shift(1)).dt.total_days().fill_null(-1).cast(pl.Int32)
    homes = (
        in_order.group_by(*FUNNEL, "store_id", maintain_order=True)
        .agg(pl.len().alias("visits"), pl.struct(IN_TIME).last().alias("latest"))
        .sort("visits", "latest")
        .group_by(FUNNEL)
        .agg(pl.col("store_id").last())
    )
    collected = in_order.group_by(FUNNEL, maintain_order=True).agg(
        pl.len().cast(pl.Int32).alias("n_baskets"),
        pl.col("sold_on").last().alias("last_sold_on"),
        day.alias("sold_on"),
        gap.tail(settings.max_baskets).alias("gap_days"),
        day.dt.weekday().cast(pl.Int32).alias("day_of_week"),
        day.dt.day().cast(pl.Int32).alias("day_of_month"),
        day.dt.month().cast(pl.Int32).alias("month"),
        products,
        quantities,
        amounts_cents,
    )
    digest = pl.lit(vocabulary["vocabulary_hash"][0]).alias("vocabulary_hash")
    attributes = pl.lit(None, pl.List(pl.String)).alias("attributes")  # the lines say nothing of their customers
    enough = collected.filter(pl.col("n_baskets") >= settings.min_baskets)
    return enough.join(homes, on=FUNNEL).with_columns(attributes, digest)


def _largest(groups: "pl.dataframe.group_by.GroupBy", settings: SequenceSettings) -> pl.DataFrame:
    """A basket's largest lines; the lines of each group come sorted by product id, which breaks ties."""
    place = pl.int_range(pl.len()).alias("place")
    order = pl.struct(-pl.col("quantity"), -pl.col("amount_cents"), place).rank("ordinal")
    chosen = order <= settings.max_products
    return groups.agg(
        pl.col("product_index").filter(chosen).alias("products"),
        (pl.col("quantity") / pl.col("millionths")).cast(pl.Float32).filter(chosen).alias("quantities"),
        pl.col("amount_cents").filter(chosen).alias("amounts_cents"),
    )
