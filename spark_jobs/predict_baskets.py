"""Predict the next basket of every active funnel (`predictions`), for the gate that publishes them.

A funnel is active whose latest basket is at most `active_days` before the business date. The champion predicts
customers with a sequence; one it was not trained on gets the model's vector for unseen customers. Without the model,
from own and everyone's frequencies, and flagged in `fallback`:

    not_trained_on         stores, a day of which is no basket to write; everyone, before the first champion
    one_basket             customers with fewer baskets than a sequence needs
    only_unknown_products  customers who bought nothing that the champion knows

`gap_days` is the usual gap, as of the last basket. `next_sold_on` takes into account that no basket came since: the
median of the days that remain, so that a customer who is overdue is not expected on the business date itself.

The champion may be of an earlier night: its products are found in tonight's vocabulary by their keys.

Where `demand.route` is `model`, the champion also sums what all its customers are expected to buy (`customer_demand`,
published first): for `forecast_demand`, which reads no model.

What earlier nights' baskets were worth, and what the champion's would have been, is published beside them
(`basket_backtests`).
"""

from datetime import date, timedelta

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from models.baselines.frequency_forecast import FrequencyForecast
from pipeline.dataset.histories import COLUMNS
from pipeline.dataset.prediction_rows import next_basket_predictor
from pipeline.tables.customer_demand import CUSTOMER_DEMAND
from pipeline.tables.predictions import PREDICTIONS
from pipeline.tables.sequences import FUNNEL_KINDS
from pipeline.tables.vocabulary import END_INDEX, UNKNOWN_INDEX
from pipeline.tasks.catalog import NEXT_BASKET, task_and_settings
from pipeline.tracking.registry import Registry
from spark_jobs.basket_backtests import learned_before, publish_backtests
from spark_jobs.customer_demand import customer_demand, predictor_of
from spark_jobs.model_sums import LEARNED_BEFORE
from spark_jobs.prediction import predict, prediction_input, stage_predicted
from spark_jobs.session import arg_parser, open_job, open_session, publish_table, read_tables

INPUT = (*COLUMNS, "store_id", "last_sold_on")
USUAL_GAP_DAYS = 7.0  # until any gap has been seen


def active_funnels(
    sequences: DataFrame, baskets: DataFrame, vocabulary: DataFrame, business_date: date, active_days: int
) -> DataFrame:
    """Every funnel that is predicted, in the columns of `INPUT` and whether it has a sequence."""
    short = short_histories(sequences, baskets, vocabulary, business_date)
    funnels = sequences.select(*INPUT, F.lit(True).alias("has_sequence")).unionByName(short)
    return funnels.filter(F.col("last_sold_on") >= F.lit(business_date - timedelta(days=active_days)))


def short_histories(sequences: DataFrame, baskets: DataFrame, vocabulary: DataFrame, business_date: date) -> DataFrame:
    """Customers who have too few baskets for a sequence, in the columns of one; each basket keeps all its lines."""
    with_sequence = sequences.filter(F.col("funnel_kind") == "customer").select(F.col("funnel_id").alias("customer_id"))
    lines = (
        baskets.filter(F.col("n_products") > 0)
        .filter((F.col("sold_on") < F.lit(business_date)) & F.col("customer_id").isNotNull())
        .join(with_sequence, "customer_id", "left_anti")
        .select(
            "customer_id", "store_id", "basket_key", "started_at_utc", "sold_on", F.explode("products").alias("line")
        )
        .withColumn("product_id", F.col("line.product_id"))
        .join(F.broadcast(vocabulary.select("product_id", "product_index")), "product_id", "left")
    )
    line = F.struct(
        F.coalesce("product_index", F.lit(UNKNOWN_INDEX)).alias("product"),
        F.col("line.quantity").cast("float").alias("quantity"),
        F.col("line.amount_cents").alias("amount_cents"),
    )
    one_basket = lines.groupBy("customer_id", "store_id", "basket_key", "started_at_utc", "sold_on").agg(
        F.sort_array(F.collect_list(line)).alias("lines")
    )
    history = F.sort_array(F.collect_list(F.struct("sold_on", "started_at_utc", "basket_key", "store_id", "lines")))
    funnels = one_basket.groupBy(F.col("customer_id").alias("funnel_id")).agg(history.alias("history"))
    days = F.col("history.sold_on")
    previous = "IF(i = 0, -1, datediff(each.sold_on, history[i - 1].sold_on))"
    return funnels.select(
        F.lit("customer").alias("funnel_kind"),
        "funnel_id",
        days.alias("sold_on"),
        F.expr(f"transform(history, (each, i) -> {previous})").alias("gap_days"),
        F.transform(days, lambda day: F.weekday(day) + 1).alias("day_of_week"),
        F.expr("transform(history, each -> each.lines.product)").alias("products"),
        F.expr("transform(history, each -> each.lines.quantity)").alias("quantities"),
        F.expr("transform(history, each -> each.lines.amount_cents)").alias("amounts_cents"),
        F.lit(None).cast("array<string>").alias("attributes"),  # no model predicts these funnels
        F.element_at("history", -1)["store_id"].alias("store_id"),
        F.element_at(days, -1).alias("last_sold_on"),
        F.lit(False).alias("has_sequence"),
    )


def measure_frequencies(
    sequences: DataFrame, baskets: DataFrame, vocabulary: DataFrame
) -> dict[str, FrequencyForecast]:
    """Everyone's frequencies, for customers and for stores: a few numbers per product.

    Raises: ValueError: when no product is known.
    """
    lines = baskets.select(F.explode("products").alias("line")).select("line.product_id", "line.quantity")
    units = lines.groupBy("product_id").agg(F.count("*").alias("n"), F.avg("quantity").alias("units"))
    rows = vocabulary.join(units, "product_id", "left").select("product_index", "n", "units").toPandas()
    if rows.empty:
        raise ValueError("the vocabulary holds no product; lower sequences.min_product_count or deliver more sales")
    counts = np.zeros(int(rows["product_index"].max()) + 1)
    mean_units = np.ones(len(counts))
    counts[rows["product_index"]] = rows["n"].fillna(0.0)
    mean_units[rows["product_index"]] = rows["units"].fillna(1.0)
    counts[END_INDEX] = baskets.filter(F.col("n_products") > 0).count()
    gaps = sequences.select("funnel_kind", F.explode("gap_days").alias("gap")).filter(F.col("gap") > 0)
    medians = {
        row.funnel_kind: row.gap for row in gaps.groupBy("funnel_kind").agg(F.median("gap").alias("gap")).collect()
    }
    return {kind: FrequencyForecast(counts, mean_units, medians.get(kind, USUAL_GAP_DAYS)) for kind in FUNNEL_KINDS}


def main(argv: list[str] | None = None) -> None:
    """Read this run's sequences and the champion, publish the back-test, stage the predictions for their gate."""
    with open_job("predict_baskets", arg_parser(__doc__).parse_args(argv)) as job:
        if job.was_published(PREDICTIONS.name):
            return
        task, settings = task_and_settings(NEXT_BASKET.name, job.settings)
        spark = open_session(job.name, settings)
        frames, inputs = read_tables(spark, job, "sequences", "baskets", "vocabulary")
        job.record.rows_in = frames["sequences"].count()
        rows = active_funnels(
            **frames, business_date=job.run.business_date, active_days=settings.prediction.active_days
        )
        registry = Registry(settings, job.source.name, task)
        given, notes = prediction_input(job, registry, inputs, measure_frequencies(**frames))
        job.record.details |= notes
        was_summed = job.workspace.lake.is_published(CUSTOMER_DEMAND.name, job.run.run_id)
        if settings.demand.route == "model" and not was_summed:
            demand = customer_demand(rows, predictor_of(given), frames["baskets"], job.run.business_date, settings)
            summed_by = given.model.version if given.model else None
            details = {LEARNED_BEFORE: learned_before(registry, summed_by).isoformat()} if summed_by else {}
            read = inputs | ({"model": summed_by} if summed_by else {})
            publish_table(demand, job, CUSTOMER_DEMAND.name, read, details=details)
        predictor = next_basket_predictor(given)
        publish_backtests(frames["sequences"], job, registry, given, predictor, inputs=inputs)
        predicted = stage_predicted(job, task, predict(rows, task, predictor), given.model, inputs)
        flagged = predicted.filter("fallback IS NOT NULL").groupBy("fallback").count()
        job.record.details["fallback"] = {row.fallback: row["count"] for row in flagged.collect()}


if __name__ == "__main__":
    main()
