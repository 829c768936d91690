"""Products expected to run out within the horizon (`stockouts`; LENS, Algorithm 2).

Per store and product, opening stock and resupplies are set against expected demand. A product alerts when it is short
with at least `demand.min_probability` on some day (with `demand.residual` = `per_day`, the paper's rule: when a day's
resupply is less than its demand). A product without a stock level in a store is left out: what is not known to
be on the shelf cannot run out. Stated probabilities are calibrated by the alerts that the last weeks would have had
(`alert_backtests`, published first).

With `demand.add_expected_returns` units that the latest night before expects back (`expected_returns`) are supply of
the day on which they come: returns are forecast after a night's alerts, so tonight's are not there yet.
"""

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from models.demand.counts import quantile
from models.stockouts.calibration import Calibration
from models.stockouts.shortages import Shelves, find_shortages, reasons, severity
from pipeline.settings import DemandSettings
from pipeline.tables.alert_backtests import ALERT_BACKTESTS
from pipeline.tables.demand_backtests import DEMAND_BACKTESTS
from pipeline.tables.return_forecasts import EXPECTED_RETURNS
from pipeline.tables.stockouts import STOCKOUTS
from spark_jobs.past_supplies import past_supplies
from spark_jobs.session import Job, arg_parser, open_job, open_session, publish_table, read_table, read_tables
from spark_jobs.stockout_backtests import backtest_stockouts, details

PAIR = ["store_id", "product_id"]


def detect_stockouts(
    *,
    expected_demand: DataFrame,
    stock_levels: DataFrame,
    resupplies: DataFrame,
    products: DataFrame,
    business_date: date,
    settings: DemandSettings,
    alert_backtests: DataFrame | None = None,
    expected_returns: DataFrame | None = None,
) -> DataFrame:
    """Stock-out alerts in the contract's columns; without back-tests probabilities are stated as they are."""
    last = business_date + timedelta(days=settings.horizon_days - 1)
    in_horizon = F.col("demand_on").between(F.lit(business_date), F.lit(last))
    arriving = resupplies.select(*PAIR, F.col("arrives_on").alias("demand_on"), F.col("units").alias("arriving"))
    if expected_returns is None:
        coming = expected_demand.withColumn("returning", F.lit(0.0))
    else:
        back = expected_returns.select(
            *PAIR, F.col("returns_on").alias("demand_on"), F.col("expected_units").alias("returning")
        )
        coming = expected_demand.join(back, [*PAIR, "demand_on"], "left")
    shelves = (
        coming.filter(in_horizon)
        .join(stock_levels.select(*PAIR, "on_hand"), PAIR)
        .join(arriving, [*PAIR, "demand_on"], "left")
        .join(products.select("product_id", "category", "price_cents"), "product_id", "left")
        .withColumn("ahead", F.datediff("demand_on", F.lit(business_date)))
        .drop("p10", "p50", "p90", "from_customers", "demand_on")
    )
    calibration = F.lit(None).cast("double").alias("intercept"), F.lit(None).cast("double").alias("slope")
    if alert_backtests is None:
        shelves = shelves.select("*", *calibration)
    else:
        of_store = (
            alert_backtests.filter(F.col("kind") == "stockout").select("store_id", "intercept", "slope").distinct()
        )
        shelves = shelves.join(F.broadcast(of_store), "store_id", "left")
    return shelves.groupBy("store_id").applyInPandas(_store_detector(business_date, settings), STOCKOUTS.ddl)


def _store_detector(business_date: date, settings: DemandSettings) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """The function that finds the shortages of one store."""
    days = settings.horizon_days
    min_probability, residual = settings.min_probability, settings.residual

    def detect(rows: pd.DataFrame) -> pd.DataFrame:
        names, position = np.unique(rows["product_id"].to_numpy(str), return_inverse=True)

        def grid(column: str) -> np.ndarray:
            values = np.zeros((len(names), days))
            values[position, rows["ahead"]] = rows[column].fillna(0.0)
            return values

        facts = rows.drop_duplicates("product_id").set_index("product_id").loc[names]
        on_hand = facts["on_hand"].to_numpy(float)
        given = rows[["intercept", "slope"]].iloc[0]
        calibration = Calibration() if given.isna().any() else Calibration(*given.astype(float))
        delivered = grid("arriving")
        supply = delivered + grid("returning")
        shelves = Shelves(grid("mean"), grid("variance"), grid("cumulative_variance"), on_hand, supply, calibration)
        shortage = find_shortages(shelves, min_probability, residual)
        price = facts["price_cents"].fillna(0.0).to_numpy(float)
        value = np.rint(shortage.units_short * price).astype(np.int64)
        usual_value = float((shelves.mean.sum(axis=1) * price).mean())
        horizon = [business_date + timedelta(days=ahead) for ahead in range(days)]
        arrives = delivered > 0
        demand, spread = shelves.mean.sum(axis=1), shelves.cumulative_variance[:, -1]
        checked = pd.DataFrame(
            {
                "store_id": rows["store_id"].iloc[0],
                "product_id": names,
                "category": facts["category"].to_numpy(object),
                "short_on": [horizon[day] for day in shortage.short_day],
                "probability": shortage.short_by.max(axis=1),
                "on_hand": on_hand,
                "resupply": delivered.sum(axis=1),
                "resupply_on": [horizon[row.argmax()] if row.any() else None for row in arrives],
                "demand": demand,
                "demand_p10": quantile(demand, spread, 0.1),
                "demand_p90": quantile(demand, spread, 0.9),
                "units_short": shortage.units_short,
                "days_of_cover": shortage.days_of_cover,
                "value_at_risk_cents": value,
                "residual": list(shortage.residual),
                "n_customers": grid("n_customers").sum(axis=1).astype(np.int32),
                "severity": severity(value, shortage.short_day, usual_value),
                "reason": reasons(shelves, shortage, horizon, residual),
            }
        )
        return checked.loc[shortage.is_alert, STOCKOUTS.column_names]

    return detect


def publish_backtests(spark: SparkSession, job: Job) -> DataFrame:
    """This run's `alert_backtests`, published if they are not yet; without rows where no past morning can be judged."""
    name = ALERT_BACKTESTS.name
    if not job.workspace.lake.is_published(name, job.run.run_id):
        past, version = read_table(spark, job.workspace, DEMAND_BACKTESTS.name, job.run.run_id)
        supplies = past_supplies(spark, job)
        found = spark.createDataFrame([], ALERT_BACKTESTS.ddl)
        if supplies is not None:
            found = backtest_stockouts(past, supplies, job.settings.demand).persist()
            job.record.details |= details(found, supplies.missing)
        publish_table(found, job, name, {DEMAND_BACKTESTS.name: version}, files=1)
    return read_table(spark, job.workspace, name, job.run.run_id)[0]


def returns_version(job: Job) -> str | None:
    """The latest forecast of returns that is not of a later date than this run; the record says where there is none."""
    lake = job.workspace.lake
    version = lake.current(EXPECTED_RETURNS.name)
    if version is None or lake.manifest(EXPECTED_RETURNS.name, version).business_date > job.run.business_date:
        job.record.details["expected_returns"] = "none: `larder run returns` has not forecast any by this date"
        return None
    return version


def main(argv: list[str] | None = None) -> None:
    """Read this run's demand and supply, publish the stock-outs."""
    with open_job("detect_stockouts", arg_parser(__doc__).parse_args(argv)) as job:
        if job.was_published(STOCKOUTS.name, ALERT_BACKTESTS.name):
            return
        spark = open_session(job.name, job.settings)
        inputs = ("expected_demand", "stock_levels", "resupplies", "products")
        frames, versions = read_tables(spark, job, *inputs)
        backtests = publish_backtests(spark, job)
        job.record.rows_in = frames["stock_levels"].count()
        if not job.workspace.lake.is_published(STOCKOUTS.name, job.run.run_id):
            returns = None
            if job.settings.demand.add_expected_returns and (version := returns_version(job)):
                versions[EXPECTED_RETURNS.name] = version
                returns, _ = read_table(spark, job.workspace, EXPECTED_RETURNS.name, version)
            stockouts = detect_stockouts(
                **frames,
                business_date=job.run.business_date,
                settings=job.settings.demand,
                alert_backtests=backtests,
                expected_returns=returns,
            )
            publish_table(stockouts, job, STOCKOUTS.name, versions | {ALERT_BACKTESTS.name: job.run.run_id})


if __name__ == "__main__":
    main()
