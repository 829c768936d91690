"""Model input: baskets -> one row per funnel with its ordered baskets (`sequences`), and the `vocabulary` they use.

A funnel is a customer, or a store: LENS's customer-agnostic case, where one basket is one day of the store. Baskets
whose purchases all came back are left out. Funnels with too few baskets get no sequence; of longer histories the latest
baskets are kept, of larger baskets the largest lines by quantity (ties by amount, then product id).

Both tables are staged together; the gate on `sequences` audits and publishes the vocabulary first, then the sequences.
"""

from collections.abc import Sequence
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.functions import arrow_udf

from pipeline.settings import SequenceSettings
from pipeline.sources.opened import Delivered
from pipeline.sources.pseudonyms import customer_key
from pipeline.sources.source import Source, SourceError
from pipeline.tables.sequences import SEQUENCES
from pipeline.tables.vocabulary import FIRST_PRODUCT_INDEX, UNKNOWN_INDEX, VOCABULARY
from pipeline.workspace import Workspace
from spark_jobs.delivered import read_delivered, refuse_unreadable, text
from spark_jobs.home_store import home_store
from spark_jobs.line_checks import attributes_said, pseudonyms
from spark_jobs.session import arg_parser, open_job, open_session, read_tables, stage_table
from spark_jobs.vocabulary import (
    Vocabulary,
    choose_vocabulary,
    product_categories,
    product_statistics,
    published_product_ids,
    vocabulary_table,
)

MILLIONTHS = 1_000_000


def build_sequences(
    baskets: DataFrame,
    vocabulary: Vocabulary,
    business_date: date,
    settings: SequenceSettings,
    attributes: DataFrame | None = None,
) -> DataFrame:
    """Sequences of customers and stores from all baskets before the business date, in the contract's columns.

    Args: attributes: of customers, see `customer_attributes`; left out where the source has none.
    """
    earlier = baskets.filter((F.col("sold_on") < F.lit(business_date)) & (F.col("n_products") > 0))
    funnels = customer_baskets(earlier, settings).unionByName(store_baskets(earlier, settings))
    sequences = collect_sequences(index_products(funnels, vocabulary.product_ids), settings)
    known = F.lit(None).cast("array<string>")
    if attributes is not None:
        sequences = sequences.join(attributes, ["funnel_kind", "funnel_id"], "left")
        known = F.col("attributes")
    return sequences.withColumn("attributes", known).withColumn("vocabulary_hash", F.lit(vocabulary.hash))


def customer_attributes(transactions: DataFrame, business_date: date) -> DataFrame:
    """Attributes of each customer, from the latest line before the business date that has any; a row per funnel."""
    has_any = F.col("customer_attributes").isNotNull() & F.col("customer_id").isNotNull()
    known = transactions.filter((F.col("sold_on") < F.lit(business_date)) & has_any)
    latest = F.max_by("customer_attributes", F.struct("sold_at_utc", "source_file", "source_line"))
    return known.groupBy(F.lit("customer").alias("funnel_kind"), F.col("customer_id").alias("funnel_id")).agg(
        latest.alias("attributes")
    )


def delivered_attributes(spark: SparkSession, source: Source, workspace: Workspace, key: bytes | None) -> DataFrame:
    """What the customers files say of each customer, as funnels; of two lines of one customer the last counts.

    Raises: SourceError: when the described files are not there or cannot be read.
    """
    rules = source.customers
    found = source.matching(rules.files or "", workspace)
    if not found:
        raise SourceError(
            f"source {source.name}: no file matches {source.folder(workspace) / str(rules.files)} (customers)"
        )
    files = [Delivered(path, path.name) for path in found]
    raw = read_delivered(spark, files, source, rules, rules.read_columns)
    refuse_unreadable(raw)
    customer = text("customer") if key is None else pseudonyms(text("customer"), key)
    said = raw.select(
        F.lit("customer").alias("funnel_kind"),
        customer.alias("funnel_id"),
        attributes_said(rules.attributes).alias("attributes"),
        F.struct("source_file", "source_line").alias("place"),
    ).dropna()
    return said.groupBy("funnel_kind", "funnel_id").agg(F.max_by("attributes", "place").alias("attributes"))


def customer_baskets(baskets: DataFrame, settings: SequenceSettings) -> DataFrame:
    """Customers' baskets as they are, cut to their largest lines; baskets without a customer are no funnel's."""
    largest = F.when(F.size("products") > settings.max_products, _largest(settings)).otherwise(F.col("products"))
    return baskets.filter(F.col("customer_id").isNotNull()).select(
        F.lit("customer").alias("funnel_kind"),
        F.col("customer_id").alias("funnel_id"),
        "store_id",
        "sold_on",
        "started_at_utc",
        "basket_key",
        largest.alias("products"),
    )


def store_baskets(baskets: DataFrame, settings: SequenceSettings) -> DataFrame:
    """One basket per store and day: the sums of that day's baskets, cut to the largest lines."""
    lines = baskets.select("store_id", "sold_on", F.inline("products"))
    summed = lines.groupBy("store_id", "sold_on", "product_id").agg(
        F.sum(F.floor(F.col("quantity") * MILLIONTHS + 0.5)).alias("millionths"),
        F.sum("amount_cents").alias("amount_cents"),
    )
    line = F.struct("product_id", (F.col("millionths") / MILLIONTHS).alias("quantity"), "amount_cents")
    days = summed.groupBy("store_id", "sold_on").agg(F.collect_list(line).alias("products"))
    return days.select(
        F.lit("store").alias("funnel_kind"),
        F.col("store_id").alias("funnel_id"),
        "store_id",
        "sold_on",
        F.col("sold_on").cast("timestamp").alias("started_at_utc"),
        F.lit("").alias("basket_key"),
        _largest(settings).alias("products"),
    )


def index_products(funnels: DataFrame, product_ids: Sequence[str]) -> DataFrame:
    """Products as vocabulary indices, beside their quantities and amounts, one array each."""
    known = funnels.sparkSession.sparkContext.broadcast(list(product_ids))

    @arrow_udf("array<int>")  # type: ignore[call-overload]  # the stubs ask for a type that is read from the hints
    def indices(product_ids: pa.Array) -> pa.Array:
        found = pc.index_in(product_ids.flatten(), value_set=pa.array(known.value, pa.string()))
        shifted = pc.fill_null(pc.add(found, FIRST_PRODUCT_INDEX), UNKNOWN_INDEX)
        lengths = pc.list_value_length(product_ids)
        offsets = pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(lengths)])
        return pa.ListArray.from_arrays(offsets, shifted)

    return funnels.select(
        "*",
        indices(F.col("products.product_id")).alias("indices"),
        F.col("products.quantity").cast("array<float>").alias("quantities"),
        F.col("products.amount_cents").alias("amounts_cents"),
    ).drop("products")


def collect_sequences(funnels: DataFrame, settings: SequenceSettings) -> DataFrame:
    """One row per funnel with enough baskets: its latest baskets, oldest first, as parallel arrays."""
    basket = F.struct("sold_on", "started_at_utc", "basket_key", "store_id", "indices", "quantities", "amounts_cents")
    histories = (
        funnels.repartition("funnel_id")
        .groupBy("funnel_kind", "funnel_id")
        .agg(F.sort_array(F.collect_list(basket)).alias("history"))
        .filter(F.size("history") >= settings.min_baskets)
        .withColumn("days", F.col("history.sold_on"))
        .withColumn("kept", _latest(F.col("history"), settings))
        .withColumn("kept_days", F.col("kept.sold_on"))
    )
    return histories.select(
        "funnel_kind",
        "funnel_id",
        home_store(F.col("history.store_id")).alias("store_id"),
        F.size("history").alias("n_baskets"),
        F.element_at("days", -1).alias("last_sold_on"),
        F.col("kept_days").alias("sold_on"),
        _latest(_gap_days(F.col("days")), settings).alias("gap_days"),
        F.transform("kept_days", lambda day: F.weekday(day) + 1).alias("day_of_week"),
        F.transform("kept_days", F.dayofmonth).alias("day_of_month"),
        F.transform("kept_days", F.month).alias("month"),
        F.col("kept.indices").alias("products"),
        F.col("kept.quantities").alias("quantities"),
        F.col("kept.amounts_cents").alias("amounts_cents"),
    )


def _largest(settings: SequenceSettings) -> Column:
    """The `max_products` largest of `products`, sorted by product id again."""
    ranked = F.transform(
        "products",
        lambda line: F.struct((-line.quantity).alias("q"), (-line.amount_cents).alias("a"), line.product_id),
    )
    kept = F.slice(F.sort_array(ranked), 1, settings.max_products)
    return F.sort_array(
        F.transform(
            kept,
            lambda line: F.struct(
                line.product_id.alias("product_id"), (-line.q).alias("quantity"), (-line.a).alias("amount_cents")
            ),
        )
    )


def _latest(items: Column, settings: SequenceSettings) -> Column:
    return F.when(
        F.size(items) > settings.max_baskets, F.slice(items, -settings.max_baskets, settings.max_baskets)
    ).otherwise(items)


def _gap_days(days: Column) -> Column:
    return F.transform(days, lambda day, at: F.when(at == 0, -1).otherwise(F.date_diff(day, days[at - 1])))


def main(argv: list[str] | None = None) -> None:
    """Read this run's baskets, stage vocabulary and sequences for their gate."""
    with open_job("build_sequences", arg_parser(__doc__).parse_args(argv)) as job:
        if job.was_published(SEQUENCES.name):
            return
        run, settings, workspace, record = job.run, job.settings.sequences, job.workspace, job.record
        spark = open_session(job.name, job.settings)
        frames, inputs = read_tables(spark, job, "baskets", "transactions")
        record.rows_in = workspace.lake.manifest("baskets", inputs["baskets"]).rows
        statistics = product_statistics(frames["baskets"], run.business_date)
        if statistics.empty:
            raise ValueError(
                f"baskets version {inputs['baskets']} has no product sold before {run.business_date}; "
                "run build_baskets for this business date"
            )
        published, vocabulary_version = published_product_ids(spark, workspace.lake, run.business_date, run.run_id)
        vocabulary = choose_vocabulary(statistics, published, settings)
        categories = product_categories(frames["transactions"], run.business_date)
        table = vocabulary_table(spark, vocabulary, statistics, categories)
        kept = {"vocabulary": str(vocabulary_version)} if vocabulary.reused else {}
        if not workspace.lake.is_published(VOCABULARY.name, run.run_id):  # else an attempt was killed inside the gate
            stage_table(table, workspace, VOCABULARY.name, run, inputs | kept, files=1)
        attributes = None
        if job.source.customers.files:
            key = customer_key(job.settings, job.source)
            attributes = delivered_attributes(spark, job.source, workspace, key)
        elif job.source.customers.attributes:
            attributes = customer_attributes(frames["transactions"], run.business_date)
        sequences = build_sequences(frames["baskets"], vocabulary, run.business_date, settings, attributes)
        _, record.rows_out = stage_table(sequences, workspace, SEQUENCES.name, run, inputs)
        record.details |= {
            "known_products": len(vocabulary.product_ids),
            "vocabulary_reused": vocabulary.reused,
            "unknown_share_of_recent_lines": round(vocabulary.unknown_share, 4),
        }
        if record.rows_out == 0:
            raise ValueError(
                f"no customer or store has {settings.min_baskets} baskets before {run.business_date}; "
                "lower sequences.min_baskets or deliver more sales"
            )


if __name__ == "__main__":
    main()
