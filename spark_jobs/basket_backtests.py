"""Predicted baskets of past mornings against what the customers then bought (`basket_backtests`).

Two origins. What earlier nights published, as long as their versions are kept, is the most honest: it was fixed before
anybody bought. On the first night there is none, and `keep_versions` nights reach back days, not weeks; so tonight's
champion also predicts as of 7, 14, 21 and 28 days ago, from the baskets before each, wherever that morning is one that
it did not learn from (the days held out from its training, and all since).

A version of a backfill counts only if its model had learned from nothing later than its morning. Of many customers a
sample is judged, the same each night, so that the cost of a replay does not grow with them.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce
from typing import Any

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipeline.dataset.histories import COLUMNS
from pipeline.dataset.prediction_rows import NextBasketPredictor, remembered
from pipeline.evaluation.basket_sums import N_SUMS, columns_of
from pipeline.evaluation.past_baskets import SUMS, PublishedBaskets, ReplayedBaskets
from pipeline.lake.lake import Lake
from pipeline.tables.basket_backtests import BASKET_BACKTESTS, BY_FREQUENCY, BY_MODEL, REPLAY
from pipeline.tables.predictions import PREDICTIONS
from pipeline.task import PredictionInput, ServedModel
from pipeline.tracking.registry import Registry, failing_plainly, store_errors
from spark_jobs.prediction import in_executors, in_partitions
from spark_jobs.session import Job, publish_table

MORNINGS = (7, 14, 21, 28)
MOST_CUSTOMERS = 5_000


@dataclass(frozen=True)
class Past:
    """What can be back-tested tonight.

    Args: versions: of `predictions`, by their morning; replayed: mornings from which the champion did not learn; notes:
          of what was left out, for the record.
    """

    versions: dict[date, str]
    replayed: list[date]
    notes: list[str]


def publish_backtests(
    sequences: DataFrame,
    job: Job,
    registry: Registry,
    given: PredictionInput,
    predictor: NextBasketPredictor,
    *,
    inputs: dict[str, str],
) -> None:
    """This run's `basket_backtests`, if they are not published yet; without rows where there is no past to judge.

    Args: given, predictor, inputs: of tonight's predictions.
    """
    name, lake = BASKET_BACKTESTS.name, job.workspace.lake
    if lake.is_published(name, job.run.run_id):
        return
    past = find_past(lake, job.run.business_date, registry, given.model)
    paths = [str(lake.path(PREDICTIONS.name, version)) for version in past.versions.values()]
    spark = sequences.sparkSession
    one_in = -(-(job.record.rows_in or 0) // MOST_CUSTOMERS)
    published = _sample(spark.read.schema(PREDICTIONS.ddl).parquet(*paths), one_in) if paths else None
    rows = backtest_baskets(_sample(sequences, one_in), published, past.replayed, given, predictor)
    job.record.details |= details(rows)
    if past.notes:
        job.record.details["baskets_not_backtested"] = "; ".join(past.notes)
    read = {PREDICTIONS.name: ",".join(past.versions.values())}
    if given.model is not None:
        read["model"] = given.model.version
    found = [tuple(row[column] for column in BASKET_BACKTESTS.column_names) for row in rows]
    publish_table(spark.createDataFrame(found, BASKET_BACKTESTS.ddl), job, name, inputs | read, files=1)


def find_past(lake: Lake, tonight: date, registry: Registry, champion: ServedModel | None) -> Past:
    """The kept versions of earlier nights, of a night that ran twice the later one, and the mornings of a replay."""
    kept: dict[date, str] = {}
    for version in lake.versions(PREDICTIONS.name):
        morning = lake.manifest(PREDICTIONS.name, version).business_date
        if tonight - timedelta(days=MORNINGS[-1]) <= morning < tonight:
            kept[morning] = version
    versions, notes = {}, []
    for morning, version in sorted(kept.items()):
        model = lake.manifest(PREDICTIONS.name, version).inputs.get("model")
        if model is None or learned_before(registry, model) <= morning:
            versions[morning] = version
        else:
            notes.append(f"{version}: {model} may have learned from days after {morning}")
    replayed = []
    if champion is not None:
        unseen_from = learned_before(registry, champion.version)
        mornings = (tonight - timedelta(days=days) for days in MORNINGS)
        replayed = [morning for morning in mornings if morning >= unseen_from]
    return Past(versions, replayed, notes)


def learned_before(registry: Registry, version: str) -> date:
    """`Registry.learned_before`; the end of time where the store cannot tell."""
    try:
        with failing_plainly(registry.settings):
            return registry.learned_before(version)
    except store_errors():  # a store that does not answer is one of them
        return date.max


def backtest_baskets(
    customers: DataFrame,
    published: DataFrame | None,
    replayed: Sequence[date],
    given: PredictionInput,
    predictor: NextBasketPredictor,
) -> list[dict[str, Any]]:
    """Rows of `basket_backtests`.

    Args: customers: of `sequences`; published: `predictions` of earlier nights; replayed: mornings as of which the
          champion predicts.
    """
    customers = customers.filter("funnel_kind = 'customer'")
    parts = []
    if published is not None:
        judge = PublishedBaskets(given.business_date, predictor.product_ids)
        parts.append(in_executors(published_rows(published, customers), judge, SUMS))
    if given.model is not None and predictor.champion is not None and replayed:
        judge_replay = ReplayedBaskets(
            given.business_date,
            given.settings.prediction,
            predictor.product_ids,
            predictor.champion,
            remembered(given.model, given, predictor.product_ids, replayed),
            given.settings.sequences.min_baskets,
        )
        # One partition for each morning: what the champion remembers as of it is prepared once.
        for morning in replayed:
            rows = customers.select(*COLUMNS, F.lit(morning).alias("as_of")).repartition(1)
            parts.append(in_partitions(rows, judge_replay, SUMS))
    if not parts:
        return []
    sums = reduce(DataFrame.unionByName, parts)
    # A few sums of each partition; to add them up in Spark costs more than all else.
    totals: dict[tuple[str, date], np.ndarray] = defaultdict(lambda: np.zeros(N_SUMS, np.int64))
    for row in sums.collect():
        totals[row["origin"], row["as_of"]] += np.array(row["sums"], np.int64)
    return [{"origin": origin, "as_of": as_of, **columns_of(totals[origin, as_of])} for origin, as_of in sorted(totals)]


def published_rows(published: DataFrame, customers: DataFrame) -> DataFrame:
    """Rows of `PublishedBaskets`: each prediction of a customer beside the history as of tonight, if anything came."""
    stated = published.filter("funnel_kind = 'customer'").select(
        "funnel_id",
        F.col("business_date").alias("as_of"),
        F.when(F.col("fallback").isNull(), BY_MODEL).otherwise(BY_FREQUENCY).alias("origin"),
        "next_sold_on",
        F.col("products").alias("stated"),
    )
    kinds = dict(customers.dtypes)
    arrays = [name for name in COLUMNS if kinds[name].startswith("array")]
    came = F.col("last_sold_on") >= F.col("as_of")
    # With more baskets since than a sequence holds, which one was the next is not known.
    is_cut = came & (F.col("n_baskets") > F.size("sold_on")) & (F.col("sold_on")[0] >= F.col("as_of"))
    joined = stated.join(customers.drop("funnel_kind", "store_id"), "funnel_id", "left")
    return joined.filter(~F.coalesce(is_cut, F.lit(False))).select(
        F.lit("customer").alias("funnel_kind"),
        "funnel_id",
        *(F.when(came, F.col(name)).otherwise(F.array().cast(kinds[name])).alias(name) for name in arrays),
        "as_of",
        "origin",
        "next_sold_on",
        "stated",
    )


def _sample(rows: DataFrame, one_in: int) -> DataFrame:
    """One in so many funnels, the same in every table and night."""
    return rows if one_in <= 1 else rows.filter(F.pmod(F.xxhash64("funnel_id"), F.lit(one_in)) == 0)


def details(rows: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    """What the stage says of the baskets of the last mornings: those that were published, else those of a replay."""
    came_of = [row for row in rows if row["came"]]
    judged = [row for row in came_of if row["origin"] != REPLAY] or came_of
    found: dict[str, object] = {"mornings_backtested": len({row["as_of"] for row in rows})}
    came = sum(row["came"] for row in judged)
    if came:
        found |= {
            "backtested_baskets": came,
            "backtested_recall@10": round(sum(row["recall_10"] for row in judged) / came, 4),
            "own_list_recall@10": round(sum(row["list_recall_10"] for row in judged) / came, 4),
        }
    return found
