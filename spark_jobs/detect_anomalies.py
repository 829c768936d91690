"""Funnels whose behaviour changed (`anomalies`; LENS, Algorithm 1): customers, and stores as meta-customers.

What happened in the last `anomalies.recent_days` is compared with what was to be expected before: with what earlier
nights' models predicted of those very baskets, where they did, and with the funnel's own history. On the first night
no model has predicted anything yet, so the history alone is the prediction. Customers are compared with the customers
of their home store, stores with each other; the strangest `anomalies.alerts_per_thousand` of all of them alert. What
such alerts were worth on the last mornings is published beside them (`behaviour_backtests`).
"""

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from models.behaviour.detection import KINDS, Algorithm, score_behaviour, severity
from models.behaviour.directions import directions
from models.behaviour.reasons import explain
from models.days import day_of, epoch_day
from pipeline.settings import AnomalySettings
from pipeline.sources.calendar import Calendar
from pipeline.tables.anomalies import ANOMALIES
from pipeline.tables.behaviour_backtests import BEHAVIOUR_BACKTESTS
from pipeline.tables.catalog import table as contract
from pipeline.workspace import Workspace
from spark_jobs.behaviour_backtests import backtest_behaviour, details
from spark_jobs.behaviour_peers import NO_CATEGORY, Peers, mark_alerts, shut_days
from spark_jobs.home_store import home_stores
from spark_jobs.session import Job, arg_parser, open_job, open_session, publish_table, read_tables

FUNNEL = ["funnel_kind", "funnel_id"]


def detect_anomalies(
    *,
    baskets: DataFrame,
    predictions: DataFrame,
    products: DataFrame,
    business_date: date,
    settings: AnomalySettings,
    calendar: Calendar | None = None,
) -> DataFrame:
    """Scored funnels in the contract's columns."""
    lines = funnel_lines(baskets, business_date, settings)
    expected = predicted_lines(lines, predictions, business_date, settings.recent_days)
    named = lines.unionByName(expected, allowMissingColumns=True).join(
        products.select("product_id", "name", F.coalesce("category", F.lit(NO_CATEGORY)).alias("category")),
        "product_id",
        "left",
    )
    # Compared are the customers of one store, and all stores.
    group = F.when(F.col("funnel_kind") == "customer", F.col("store_id")).otherwise("").alias("peers")
    shut = shut_days(baskets, business_date, calendar or Calendar())
    scored = named.groupBy("funnel_kind", group).applyInPandas(_score(business_date, settings, shut), ANOMALIES.ddl)
    return mark_alerts(scored, settings.alerts_per_thousand, "funnel_kind")


def funnel_lines(baskets: DataFrame, business_date: date, settings: AnomalySettings) -> DataFrame:
    """Units and money per funnel, day and product; the latest `max_baskets` days of funnels with enough of them."""
    past = baskets.filter(F.col("sold_on") < F.lit(business_date))
    lines = past.select("customer_id", "store_id", "sold_on", F.explode("products").alias("line"))
    at_home = lines.join(home_stores(past), "customer_id")
    customers = at_home.select(
        F.lit("customer").alias("funnel_kind"),
        F.col("customer_id").alias("funnel_id"),
        "home_store_id",
        "sold_on",
        "line",
    )
    stores = lines.select(
        F.lit("store").alias("funnel_kind"),
        F.col("store_id").alias("funnel_id"),
        F.col("store_id").alias("home_store_id"),
        "sold_on",
        "line",
    )
    in_time = Window.partitionBy(*FUNNEL).orderBy(F.col("sold_on").desc())
    return (
        customers.unionByName(stores)
        .groupBy(
            *FUNNEL, F.col("home_store_id").alias("store_id"), "sold_on", F.col("line.product_id").alias("product_id")
        )
        .agg(
            (F.sum(F.round(F.col("line.quantity") * 1e6).cast("bigint")) / 1e6).alias("units"),
            F.sum("line.amount_cents").alias("amount_cents"),
        )
        .withColumn("back", F.dense_rank().over(in_time))
        .withColumn("n_baskets", F.max("back").over(Window.partitionBy(*FUNNEL)))
        .filter((F.col("back") <= settings.max_baskets) & (F.col("n_baskets") >= settings.min_baskets))
        .drop("back", "n_baskets")
    )


def predicted_lines(lines: DataFrame, predictions: DataFrame, business_date: date, recent_days: int) -> DataFrame:
    """What the newest prediction made before each recent basket expected in it, as lines with a probability."""
    recent = lines.filter(F.col("sold_on") >= F.lit(business_date - timedelta(days=recent_days)))
    days = recent.select(*FUNNEL, F.col("store_id").alias("home_store_id"), "sold_on").distinct()
    before = predictions.filter(F.col("business_date") < F.lit(business_date)).select(
        *FUNNEL, "business_date", "last_sold_on", "products"
    )
    newest = F.row_number().over(Window.partitionBy(*FUNNEL, "sold_on").orderBy(F.col("business_date").desc()))
    return (
        days.join(before, FUNNEL)
        .filter((F.col("business_date") <= F.col("sold_on")) & (F.col("last_sold_on") < F.col("sold_on")))
        .withColumn("newest", newest)
        .filter("newest = 1")
        .select(*FUNNEL, F.col("home_store_id").alias("store_id"), "sold_on", F.explode("products").alias("line"))
        .select(
            *FUNNEL,
            "store_id",
            "sold_on",
            F.col("line.product_id").alias("product_id"),
            F.col("line.probability").alias("probability"),
        )
    )


def _score(
    business_date: date, settings: AnomalySettings, shut: dict[str, np.ndarray]
) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """The function that scores the funnels of one kind and store."""
    algorithm = Algorithm.named(
        settings.distance, settings.embedding, settings.clustering, settings.clusters, settings.cluster_distance
    )
    today = epoch_day(business_date)
    recent_days, min_baskets = settings.recent_days, settings.min_baskets

    def score(rows: pd.DataFrame) -> pd.DataFrame:
        funnel_kind = rows["funnel_kind"].iloc[0]
        peers = Peers.of(rows, today - recent_days, shut)
        histories = peers.histories
        scores = score_behaviour(histories, algorithm, today, recent_days, peers.predicted)
        is_silent = scores.kind == KINDS.index("silence")
        last_on = [day_of(day) for day in histories.day[histories.last]]
        found = pd.DataFrame(
            {
                "funnel_kind": funnel_kind,
                "funnel_id": peers.funnels,
                "store_id": peers.stores,
                "observed_on": [business_date if silent else on for silent, on in zip(is_silent, last_on, strict=True)],
                "distance": scores.distance,
                "cluster": scores.cluster.astype(np.int32),
                "score": scores.score,
                **{f"{part}_score": score for part, score in scores.part_scores().items()},
                "is_news": scores.is_news,
                "is_alert": False,
                "value_cents": np.rint(peers.monthly_cents).astype(np.int64),
                "direction": directions(histories, scores),
                "severity": severity(scores.score, peers.monthly_cents),
                "reason": explain(histories, scores, today, peers.names, funnel_kind),
            }
        )
        is_known = histories.n_history + 1 >= min_baskets
        return found.loc[scores.is_scored & is_known, ANOMALIES.column_names]

    return score


def earlier_predictions(
    spark: SparkSession, workspace: Workspace, business_date: date, recent_days: int
) -> tuple[DataFrame, list[str]]:
    """What the nights of the recent days before this one predicted, and the versions read."""
    table = contract("predictions")
    lake = workspace.lake
    since = business_date - timedelta(days=recent_days)
    versions = [
        version
        for version in lake.versions(table.name)
        if since <= lake.manifest(table.name, version).business_date < business_date
    ]
    paths = [str(lake.path(table.name, version)) for version in versions]
    if not paths:
        return spark.createDataFrame([], table.ddl), []
    return spark.read.schema(table.ddl).parquet(*paths), versions


def main(argv: list[str] | None = None) -> None:
    """Read this run's baskets and earlier nights' predictions, publish the anomalies and their back-test."""
    with open_job("detect_anomalies", arg_parser(__doc__).parse_args(argv)) as job:
        if job.was_published(ANOMALIES.name, BEHAVIOUR_BACKTESTS.name):
            return
        business_date, settings = job.run.business_date, job.settings.anomalies
        spark = open_session(job.name, job.settings)
        frames, versions = read_tables(spark, job, "baskets", "products")
        job.record.rows_in = frames["baskets"].filter(F.col("sold_on") < F.lit(business_date)).count()
        _publish_backtests(job, **frames)
        if job.workspace.lake.is_published(ANOMALIES.name, job.run.run_id):
            return
        predictions, earlier = earlier_predictions(spark, job.workspace, business_date, settings.recent_days)
        job.record.details["earlier_predictions"] = len(earlier)
        anomalies = detect_anomalies(
            **frames,
            predictions=predictions,
            business_date=business_date,
            settings=settings,
            calendar=job.source.calendar,
        )
        publish_table(anomalies, job, ANOMALIES.name, versions | {"predictions": ",".join(earlier)})


def _publish_backtests(job: Job, baskets: DataFrame, products: DataFrame) -> None:
    """This run's `behaviour_backtests`, if they are not published yet."""
    name, business_date = BEHAVIOUR_BACKTESTS.name, job.run.business_date
    if job.workspace.lake.is_published(name, job.run.run_id):
        return
    shut = shut_days(baskets, business_date, job.source.calendar)
    lines = funnel_lines(baskets, business_date, job.settings.anomalies)
    found = backtest_behaviour(lines, products, shut, business_date, job.settings.anomalies).persist()
    job.record.details |= details(found)
    publish_table(found, job, name, {"baskets": job.run.run_id}, files=1)


if __name__ == "__main__":
    main()
