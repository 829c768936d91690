"""Funnels whose behaviour changed (`anomalies`; LENS, Algorithm 1): customers, and stores as meta-customers.

What happened in the last `anomalies.recent_days` is compared with what was to be expected before: with what earlier
nights' models predicted of those very baskets, where they did, and with the funnel's own history. On the first night
no model has predicted anything yet, so the history alone is the prediction. Customers are compared with the customers
of their home store, stores with each other; the strangest `anomalies.alerts_per_thousand` of all of them alert.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F
from scipy.sparse import csr_array

from models.behaviour.detection import KINDS, Algorithm, score_behaviour, severity
from models.behaviour.directions import directions
from models.behaviour.funnel_baskets import FunnelBaskets
from models.behaviour.reasons import explain
from models.days import day_of, epoch_day, epoch_days
from models.demand.sales_history import closed_days
from pipeline.settings import AnomalySettings
from pipeline.sources.calendar import Calendar, days_between
from pipeline.tables.anomalies import ANOMALIES
from pipeline.tables.catalog import table as contract
from pipeline.workspace import Workspace
from spark_jobs.home_store import home_stores
from spark_jobs.session import arg_parser, open_job, open_session, publish_table, read_tables

FUNNEL = ["funnel_kind", "funnel_id"]
NO_CATEGORY = "none"


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
    return mark_alerts(scored, settings.alerts_per_thousand)


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


def mark_alerts(scored: DataFrame, alerts_per_thousand: float) -> DataFrame:
    """Mark the strangest news of each kind of funnel, so many per thousand; where that is below one, what is as
    improbable as the rate."""
    order = Window.partitionBy("funnel_kind").orderBy(F.col("is_news").desc(), F.col("score").desc(), "funnel_id")
    share = alerts_per_thousand / 1000.0
    wanted = F.round(F.count("*").over(Window.partitionBy("funnel_kind")) * share)
    few = (wanted < 1) & (F.pow(F.lit(10.0), -F.col("score")) <= share)
    is_wanted = (F.row_number().over(order) <= wanted) & (F.col("score") > 0) | few
    return scored.withColumn("is_alert", F.col("is_news") & is_wanted)


@dataclass(frozen=True)
class _Peers:
    """The funnels of one kind and store as arrays.

    funnels: [F] ids; stores: [F]; names: [P] of products; histories: their baskets;
    predicted: [B, P] probability that an earlier night gave a product of a basket; monthly_cents: [F].
    """

    funnels: np.ndarray
    stores: np.ndarray
    names: list[str]
    histories: FunnelBaskets
    predicted: csr_array
    monthly_cents: np.ndarray

    @classmethod
    def of(cls, rows: pd.DataFrame, recent_from: int, shut: dict[str, np.ndarray]) -> "_Peers":
        """From lines bought (with `units`) and lines predicted (with `probability`), in any order."""
        rows = rows.sort_values(["funnel_id", "sold_on", "product_id"])
        funnels, first, funnel = np.unique(rows["funnel_id"].to_numpy(str), return_index=True, return_inverse=True)
        products, first_of, product = np.unique(
            rows["product_id"].to_numpy(str), return_index=True, return_inverse=True
        )
        categories = rows["category"].fillna(NO_CATEGORY).to_numpy(str)[first_of]
        day = epoch_days(rows["sold_on"])
        bought = rows["units"].notna().to_numpy()
        histories = FunnelBaskets.of_lines(
            funnel[bought],
            day[bought],
            product[bought],
            rows["units"].to_numpy(float)[bought],
            rows["amount_cents"].to_numpy(float)[bought],
            category=np.unique(categories, return_inverse=True)[1],
            recent_from=recent_from,
            shut_since=_shut_since(rows["store_id"].to_numpy(str), day, shut)[bought],
        )
        baskets = histories.positions(funnel[~bought], day[~bought])
        probability = rows["probability"].to_numpy(float)[~bought]
        return cls(
            funnels=funnels,
            stores=rows["store_id"].to_numpy(object)[first],
            names=rows["name"].fillna(rows["product_id"]).to_numpy(str)[first_of].tolist(),
            histories=histories,
            predicted=csr_array(
                (probability, (baskets, product[~bought])), shape=(len(histories.funnel), len(products))
            ),
            monthly_cents=histories.per_month(),
        )


def _shut_since(stores: np.ndarray, days: np.ndarray, shut: dict[str, np.ndarray]) -> np.ndarray:
    """Days after each day on which its store was shut, [L]."""
    since = np.zeros(len(days), dtype=np.int64)
    for store in set(stores) & set(shut):
        of = stores == store
        since[of] = len(shut[store]) - np.searchsorted(shut[store], days[of], side="right")
    return since


def shut_days(baskets: DataFrame, business_date: date, calendar: Calendar) -> dict[str, np.ndarray]:
    """Days by store on which it was shut before the business date, as days since 1970-01-01 in order.

    Known from the calendar, or days without a basket where that is next to impossible at the store's usual trade.
    """

    def of_store(days: pd.DataFrame) -> pd.DataFrame:
        store, sold_on = str(days["store_id"].iloc[0]), epoch_days(days["sold_on"])
        first = int(sold_on.min())
        counts = np.zeros(epoch_day(business_date) - first)
        counts[sold_on - first] = days["n"]
        dates = days_between(day_of(first), business_date)[:-1]
        known = calendar.closed_days(store, dates)
        shut = np.array([day in known for day in dates])
        if calendar.finds_closed_days:
            shut |= closed_days(counts, np.array([day.weekday() for day in dates]))
        # Whoever sold something was open.
        return pd.DataFrame({"store_id": store, "day": first + np.flatnonzero(shut & (counts == 0))})

    per_day = baskets.filter(F.col("sold_on") < F.lit(business_date)).groupBy("store_id", "sold_on")
    counted = per_day.agg(F.count("*").cast("double").alias("n"))
    found = counted.groupBy("store_id").applyInPandas(of_store, "store_id string, day bigint").collect()
    shut: dict[str, list[int]] = {}
    for row in found:
        shut.setdefault(row.store_id, []).append(row.day)
    return {store: np.array(sorted(days)) for store, days in shut.items()}


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
        peers = _Peers.of(rows, today - recent_days, shut)
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
    """Read this run's baskets and earlier nights' predictions, publish the anomalies."""
    with open_job("detect_anomalies", arg_parser(__doc__).parse_args(argv)) as job:
        if job.was_published(ANOMALIES.name):
            return
        business_date, settings = job.run.business_date, job.settings.anomalies
        spark = open_session(job.name, job.settings)
        frames, versions = read_tables(spark, job, "baskets", "products")
        predictions, earlier = earlier_predictions(spark, job.workspace, business_date, settings.recent_days)
        job.record.rows_in = frames["baskets"].filter(F.col("sold_on") < F.lit(business_date)).count()
        job.record.details["earlier_predictions"] = len(earlier)
        anomalies = detect_anomalies(
            **frames,
            predictions=predictions,
            business_date=business_date,
            settings=settings,
            calendar=job.source.calendar,
        )
        publish_table(anomalies, job, ANOMALIES.name, versions | {"predictions": ",".join(earlier)})


if __name__ == "__main__":
    main()
