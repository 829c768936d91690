"""Which products the model knows, and which vocabulary the night uses.

A product is known when it is in at least `min_product_count` baskets; all others share the unknown index. Most frequent
first, ties by product id, so that the indices are a function of the baskets alone.

A model is used with the vocabulary it was trained on, so the published one is kept while it is nearly as good as a new
one: as long as it misses at most `max_unknown_share` more of the last 28 days' basket lines than a rebuilt one would.
Only a vocabulary of the same or an earlier business date is kept, because a later one knows the future.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pipeline.lake.lake import Lake
from pipeline.settings import SequenceSettings
from pipeline.tables.vocabulary import FIRST_PRODUCT_INDEX, VOCABULARY

RECENT_DAYS = 28


@dataclass(frozen=True)
class Vocabulary:
    """Known products in index order, the first at FIRST_PRODUCT_INDEX."""

    product_ids: tuple[str, ...]
    reused: bool
    unknown_share: float

    @property
    def hash(self) -> str:
        """Identifies the mapping: a digest of the ordered product ids."""
        return hashlib.sha256("\n".join(self.product_ids).encode()).hexdigest()


def product_statistics(baskets: DataFrame, business_date: date) -> pd.DataFrame:
    """Per product: baskets, recent baskets, and what a unit costs; one row per product fits the driver."""
    recent_from = F.lit(business_date - timedelta(days=RECENT_DAYS))
    counted = (
        baskets.filter(F.col("sold_on") < F.lit(business_date))
        .select("sold_on", F.inline("products"))
        .groupBy("product_id")
        .agg(
            F.count("*").alias("n_baskets"),
            F.count_if(F.col("sold_on") >= recent_from).alias("n_recent"),
            F.sum(F.floor(F.col("quantity") * 1_000_000 + 0.5)).alias("millionths"),
            F.sum("amount_cents").alias("amount_cents"),
        )
    )
    return counted.toPandas().sort_values(["n_baskets", "product_id"], ascending=[False, True], ignore_index=True)


def product_categories(transactions: DataFrame, business_date: date) -> pd.Series:
    """Per product the most frequent category of its lines (ties: the first by name)."""
    lines = transactions.filter((F.col("sold_on") < F.lit(business_date)) & F.col("category").isNotNull())
    named = lines.groupBy("product_id", "category").agg((-F.count("*")).alias("rank"))
    chosen = named.groupBy("product_id").agg(F.min_by("category", F.struct("rank", "category")).alias("category"))
    return chosen.toPandas().set_index("product_id")["category"]


def choose_vocabulary(
    statistics: pd.DataFrame, published: Sequence[str] | None, settings: SequenceSettings
) -> Vocabulary:
    """The published vocabulary while it is nearly as good as a rebuilt one, else the rebuilt one.

    Raises: ValueError: when no product is frequent enough to be known.
    """
    frequent = statistics.loc[statistics["n_baskets"] >= settings.min_product_count, "product_id"]
    if frequent.empty:
        raise ValueError(
            f"no product is in {settings.min_product_count} baskets or more, so none could be known; "
            "lower sequences.min_product_count or deliver more sales"
        )
    rebuilt_share = _unknown_share(statistics, frequent)
    if published:
        published_share = _unknown_share(statistics, published)
        if published_share <= rebuilt_share + settings.max_unknown_share:
            return Vocabulary(tuple(published), reused=True, unknown_share=published_share)
    return Vocabulary(tuple(frequent), reused=False, unknown_share=rebuilt_share)


def vocabulary_table(
    spark: SparkSession, vocabulary: Vocabulary, statistics: pd.DataFrame, categories: pd.Series
) -> DataFrame:
    """The vocabulary in the contract's columns; counts and prices are today's, also when the mapping is kept."""
    facts = statistics.set_index("product_id").reindex(list(vocabulary.product_ids))
    sold = facts["n_baskets"].notna()
    rows = pd.DataFrame(
        {
            "product_index": np.arange(len(facts), dtype=np.int32) + FIRST_PRODUCT_INDEX,
            "product_id": facts.index,
            "category": categories.reindex(facts.index).astype(object),
            "n_baskets": facts["n_baskets"].fillna(1).astype(np.int64),
            "unit_price_cents": np.where(sold, facts["amount_cents"] * 1e6 / facts["millionths"], 0.0),
            "vocabulary_hash": vocabulary.hash,
        }
    )
    rows["category"] = rows["category"].where(rows["category"].notna(), None)
    return spark.createDataFrame(rows, VOCABULARY.ddl)


def published_product_ids(
    spark: SparkSession, lake: Lake, business_date: date, run_id: str
) -> tuple[list[str] | None, str | None]:
    """Product ids in index order of the newest vocabulary that knows no later sales, and its version."""
    for version in reversed(lake.versions(VOCABULARY.name)):
        if version != run_id and lake.manifest(VOCABULARY.name, version).business_date <= business_date:
            rows = spark.read.schema(VOCABULARY.ddl).parquet(str(lake.path(VOCABULARY.name, version)))
            ids = rows.orderBy("product_index").select("product_id").toPandas()["product_id"].tolist()
            return ids, version
    return None, None


def _unknown_share(statistics: pd.DataFrame, known: Sequence[str] | pd.Series) -> float:
    total = int(statistics["n_recent"].sum())
    if total == 0:
        return 0.0
    missed = int(statistics.loc[~statistics["product_id"].isin(known), "n_recent"].sum())
    return missed / total
