"""Expected units per store, product and day of the horizon (`expected_demand`).

Two routes meet here, store by store. The store's route (`models.demand.boosted_route`, the forecast that the
back-test `larder benchmark stockouts` measures) reads what the store sold lately and gives the level. The
customers' route (LENS, Algorithm 2) sums what the predicted baskets hold on the days on which they may happen: it
says whose baskets these are, and moves `demand.customer_weight` of the mean towards what they hold. That is nothing
by default: back-tested, customers beat their placebo on no product that sells much. Units are those bought, before
returns: a shelf is emptied by what leaves it.
"""

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import pandas as pd
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.pandas.functions import pandas_udf
from pyspark.sql.types import ArrayType, DoubleType

from models.demand import boosted_route, customer_route
from models.demand.counts import quantile
from models.demand.sales_history import sales_history
from pipeline.settings import DemandSettings
from pipeline.tables.expected_demand import EXPECTED_DEMAND
from spark_jobs.session import arg_parser, open_job, open_session, publish_table, read_tables

PAIR = ["store_id", "product_id"]


def forecast_demand(
    *,
    transactions: DataFrame,
    baskets: DataFrame,
    predictions: DataFrame,
    products: DataFrame,
    stock_levels: DataFrame,
    business_date: date,
    settings: DemandSettings,
) -> DataFrame:
    """Expected demand in the contract's columns, for every product that a store sold lately or is predicted to sell."""
    first = business_date - timedelta(days=settings.history_days)
    empty = stock_levels.filter((F.col("origin") == "delivered") & (F.col("on_hand") <= 0)).select(
        *PAIR, F.lit(True).alias("empty_now")
    )
    first_sold = products.select("product_id", F.datediff("first_sold_on", F.lit(first)).alias("first_day"))
    sold = (
        daily_units(transactions, first, business_date).join(first_sold, "product_id", "left").join(empty, PAIR, "left")
    )
    gap_spread = measure_gap_spread(baskets, business_date)
    predicted = customer_units(predictions, business_date, settings, gap_spread)
    return (
        sold.groupBy("store_id")
        .cogroup(predicted.groupBy("store_id"))
        .applyInPandas(_store_forecaster(business_date, settings), EXPECTED_DEMAND.ddl)
    )


def daily_units(transactions: DataFrame, first: date, business_date: date) -> DataFrame:
    """Units sold per store, product and day from `first` to before the business date; `day` counts from `first`."""
    return (
        transactions.filter((F.col("sold_on") >= F.lit(first)) & (F.col("sold_on") < F.lit(business_date)))
        .filter(~F.col("is_return") & (F.col("quantity") > 0))
        .groupBy(*PAIR, F.datediff("sold_on", F.lit(first)).alias("day"))
        .agg(_exact_sum(F.col("quantity"), "units"))
    )


def measure_gap_spread(baskets: DataFrame, business_date: date) -> float:
    """Standard deviation of the logarithm of the days between a customer's baskets, pooled over customers."""
    known = baskets.filter((F.col("sold_on") < F.lit(business_date)) & F.col("customer_id").isNotNull())
    days = known.select("customer_id", "sold_on").distinct()
    previous = F.lag("sold_on").over(Window.partitionBy("customer_id").orderBy("sold_on"))
    gaps = days.select("customer_id", F.log(F.datediff("sold_on", previous)).alias("log_gap")).dropna()
    each = gaps.groupBy("customer_id").agg(
        (F.count("*") - 1).alias("freedom"), (F.var_pop("log_gap") * F.count("*")).alias("squares")
    )
    pooled = each.agg(F.sum("squares").alias("squares"), F.sum("freedom").alias("freedom")).collect()[0]
    # Rounded, because the last bits of a sum depend on the order of its partitions.
    return round(customer_route.gap_spread(pooled.squares or 0.0, pooled.freedom or 0), 6)


def customer_units(
    predictions: DataFrame, business_date: date, settings: DemandSettings, gap_spread: float
) -> DataFrame:
    """Units that predicted baskets hold, per store, product and day, and how many customers' predicted day it is."""
    visits = _visits(business_date, settings, gap_spread)
    lines = (
        predictions.filter(F.col("funnel_kind") == "customer")
        .select("store_id", "next_sold_on", "products", F.posexplode(visits).alias("ahead", "visits"))
        .select("store_id", "ahead", "visits", "next_sold_on", F.explode("products").alias("line"))
    )
    is_predicted_day = F.datediff("next_sold_on", F.lit(business_date)) == F.col("ahead")
    return lines.groupBy("store_id", F.col("line.product_id").alias("product_id"), "ahead").agg(
        _exact_sum(F.col("visits") * F.col("line.probability") * F.col("line.quantity"), "units"),
        F.count_if(is_predicted_day).alias("n_customers"),
    )


def _exact_sum(units: Column, name: str) -> Column:
    """Sum as whole billionths of a unit, which does not depend on the order of rows."""
    return (F.sum(F.round(units * 1e9).cast("decimal(38,0)")).cast("double") / 1e9).alias(name)


def _visits(business_date: date, settings: DemandSettings, gap_spread: float) -> Column:
    """Expected baskets of a customer on each day of the horizon, as an array."""
    horizon, decoding = settings.horizon_days, settings.decoding

    # Spark's type stubs know only the old form that names the kind of function.
    @pandas_udf(ArrayType(DoubleType()))  # type: ignore[call-overload]
    def expected_visits(gap_days: pd.Series, elapsed_days: pd.Series, days_until: pd.Series) -> pd.Series:
        if decoding == "predicted_day":
            return pd.Series(list(customer_route.visit_on_predicted_day(days_until.to_numpy(), horizon)))
        gaps, elapsed = gap_days.to_numpy(np.float64), elapsed_days.to_numpy(np.float64)
        return pd.Series(list(customer_route.visit_expectation(gaps, elapsed, gap_spread, horizon)))

    today = F.lit(business_date)
    return expected_visits("gap_days", F.datediff(today, "last_sold_on"), F.datediff("next_sold_on", today))


def _store_forecaster(
    business_date: date, settings: DemandSettings
) -> Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame]:
    """The function that forecasts one store from what it sold and what its customers are predicted to buy."""
    history_days, weight = settings.history_days, settings.customer_weight
    first = business_date - timedelta(days=history_days)
    horizon = [business_date + timedelta(days=ahead) for ahead in range(settings.horizon_days)]

    def forecast(sold: pd.DataFrame, predicted: pd.DataFrame) -> pd.DataFrame:
        names = np.union1d(sold["product_id"].to_numpy(str), predicted["product_id"].to_numpy(str))
        # A store's history begins with its first sale: before it there was no store, not no demand.
        start = int(sold["day"].min()) if len(sold) else history_days - 1
        weekdays = np.array([(first + timedelta(days=day)).weekday() for day in range(start, history_days)])
        facts = sold.drop_duplicates("product_id").set_index("product_id").reindex(names)
        history = sales_history(
            _grid(sold, names, "day", "units", start=start, stop=history_days),
            weekdays,
            facts["first_day"].fillna(0).to_numpy(np.int64) - start,
            facts["empty_now"].notna().to_numpy(bool),
        )
        store = boosted_route.forecast_store(history, np.array([day.weekday() for day in horizon]))
        from_baskets = _grid(predicted, names, "ahead", "units", start=0, stop=len(horizon))
        mean, part = customer_route.blend(store.mean, from_baskets, weight)
        expected = store.about(mean)
        customers = _grid(predicted, names, "ahead", "n_customers", start=0, stop=len(horizon))
        columns = {
            "store_id": (sold if len(sold) else predicted)["store_id"].iloc[0],
            "product_id": np.repeat(names, len(horizon)),
            "demand_on": np.tile(np.array(horizon, dtype=object), len(names)),
            "mean": mean.ravel(),
            "variance": expected.variance.ravel(),
            "cumulative_variance": expected.cumulative_variance.ravel(),
            "p10": quantile(mean, expected.variance, 0.1).ravel(),
            "p50": quantile(mean, expected.variance, 0.5).ravel(),
            "p90": quantile(mean, expected.variance, 0.9).ravel(),
            "from_customers": part.ravel(),
            "n_customers": customers.ravel().astype(np.int32),
        }
        return pd.DataFrame(columns)[EXPECTED_DEMAND.column_names]

    return forecast


def _grid(rows: pd.DataFrame, names: np.ndarray, day: str, value: str, *, start: int, stop: int) -> np.ndarray:
    """The `value` of the rows by product and day, [N, stop - start]; 0 where there is no row."""
    grid = np.zeros((len(names), stop - start))
    grid[np.searchsorted(names, rows["product_id"].to_numpy(str)), rows[day].to_numpy(int) - start] = rows[value]
    return grid


def main(argv: list[str] | None = None) -> None:
    """Read this run's sales and predictions, publish the expected demand."""
    with open_job("forecast_demand", arg_parser(__doc__).parse_args(argv)) as job:
        if job.was_published(EXPECTED_DEMAND.name):
            return
        spark = open_session(job.name, job.settings)
        inputs = ("transactions", "baskets", "predictions", "products", "stock_levels")
        frames, versions = read_tables(spark, job, *inputs)
        job.record.rows_in = frames["predictions"].count()
        demand = forecast_demand(**frames, business_date=job.run.business_date, settings=job.settings.demand)
        publish_table(demand, job, EXPECTED_DEMAND.name, versions)


if __name__ == "__main__":
    main()
