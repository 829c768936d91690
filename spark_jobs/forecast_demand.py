"""Expected units per store, product and day of the horizon (`expected_demand`), and of past weeks (`demand_backtests`).

The store's forecast (`models.demand.choice`, which `larder benchmark stockouts` measures) reads what the store sold
lately: learned, smoothed and simple methods, weighted by what its last weeks prove. `demand.route` says what else:

    store  that forecast. Predicted baskets say whose they are, and move `customer_weight` of the mean towards what they
           hold on the days on which they may happen: by default nothing
    model  blended by class of product with what the model expects its customers to buy (`customer_demand`), as much of
           it as it earned in the store's last four weeks, of which the sums of their first mornings are kept
    paper  LENS, Algorithm 2: units of the predicted baskets on their predicted days, and nothing else

`larder benchmark demand-routes` measures all three.
"""

from collections.abc import Callable
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
import pandas as pd
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.pandas.functions import pandas_udf
from pyspark.sql.types import ArrayType, DoubleType

from models.demand import customer_route
from models.demand.choice import StoreForecast, forecast_store, product_classes
from models.demand.counts import quantile
from models.demand.model_route import blend_with_model, with_store_days
from pipeline.settings import DemandSettings
from pipeline.sources.calendar import Calendar
from pipeline.tables.customer_demand import CUSTOMER_DEMAND
from pipeline.tables.demand_backtests import DEMAND_BACKTESTS
from pipeline.tables.expected_demand import EXPECTED_DEMAND
from spark_jobs.demand_bounds import check_bounds
from spark_jobs.model_sums import by_day, earned, of_morning, other_share, read_sums, with_model_units
from spark_jobs.product_histories import PAIR, exact_sum, product_histories
from spark_jobs.session import arg_parser, open_job, open_session, publish_table, read_tables
from spark_jobs.store_sales import StoreSales

# What `demand_backtests` has beyond `expected_demand`.
_PAST = ("as_of", "units")
# Both tables' columns; a row of the business date is of `expected_demand`, an earlier one of `demand_backtests`.
FORECASTS = ", ".join(
    f"{column.name} {column.kind}"
    for column in (*EXPECTED_DEMAND.columns, *(each for each in DEMAND_BACKTESTS.columns if each.name in _PAST))
)


class Forecasts(NamedTuple):
    """Both tables in their contracts' columns."""

    expected_demand: DataFrame
    demand_backtests: DataFrame


def forecast_demand(
    *,
    transactions: DataFrame,
    baskets: DataFrame,
    predictions: DataFrame,
    products: DataFrame,
    stock_levels: DataFrame,
    business_date: date,
    settings: DemandSettings,
    calendar: Calendar | None = None,
    customer_demand: DataFrame | None = None,
) -> Forecasts:
    """Expected demand of every product that a store sold lately or is predicted to sell, and past weeks' forecasts.

    Args: customer_demand: where the route is `model`: of this morning, and of those of the last four weeks that are
          known, with `weeks_ago`.
    """
    first = business_date - timedelta(days=settings.history_days)
    sold, in_all_stores = product_histories(transactions, products, stock_levels, first, business_date)
    gap_spread = measure_gap_spread(baskets, business_date)
    predicted = customer_units(predictions, business_date, settings, gap_spread)
    if customer_demand is not None:
        # Of what is sold under this name: a product that was replaced or discontinued has no history.
        of_model = customer_demand.join(sold.select(*PAIR), PAIR, "left_semi")
        predicted = with_model_units(predicted, of_model, business_date, settings.horizon_days)
    forecaster = _store_forecaster(business_date, settings, calendar or Calendar(), in_all_stores)
    found = sold.groupBy("store_id").cogroup(predicted.groupBy("store_id")).applyInPandas(forecaster, FORECASTS)
    found = found.persist()
    is_tonight = F.col("as_of") == F.lit(business_date)
    return Forecasts(
        found.filter(is_tonight).select(*EXPECTED_DEMAND.column_names),
        found.filter(~is_tonight).select(*DEMAND_BACKTESTS.column_names),
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
    units = F.col("visits") * F.col("line.quantity")
    if settings.route != "paper":
        units = F.col("visits") * F.col("line.probability") * F.col("line.quantity")
    is_predicted_day = F.datediff("next_sold_on", F.lit(business_date)) == F.col("ahead")
    return lines.groupBy("store_id", F.col("line.product_id").alias("product_id"), "ahead").agg(
        exact_sum(units, "units"), F.count_if(is_predicted_day).alias("n_customers")
    )


def _visits(business_date: date, settings: DemandSettings, gap_spread: float) -> Column:
    """Expected baskets of a customer on each day of the horizon, as an array."""
    horizon, on_one_day = settings.horizon_days, settings.decoding == "predicted_day" or settings.route == "paper"

    # Spark's type stubs know only the old form that names the kind of function.
    @pandas_udf(ArrayType(DoubleType()))  # type: ignore[call-overload]
    def expected_visits(gap_days: pd.Series, elapsed_days: pd.Series, days_until: pd.Series) -> pd.Series:
        if on_one_day:
            return pd.Series(list(customer_route.visit_on_predicted_day(days_until.to_numpy(), horizon)))
        gaps, elapsed = gap_days.to_numpy(np.float64), elapsed_days.to_numpy(np.float64)
        return pd.Series(list(customer_route.visit_expectation(gaps, elapsed, gap_spread, horizon)))

    today = F.lit(business_date)
    return expected_visits("gap_days", F.datediff(today, "last_sold_on"), F.datediff("next_sold_on", today))


def _store_forecaster(
    business_date: date, settings: DemandSettings, calendar: Calendar, in_all_stores: list[float] | None
) -> Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame]:
    """The function that forecasts one store from what it sold and what its customers are predicted to buy."""
    first = business_date - timedelta(days=settings.history_days)
    past = [first + timedelta(days=ahead) for ahead in range(settings.history_days)]
    horizon = [business_date + timedelta(days=ahead) for ahead in range(settings.horizon_days)]

    def forecast(sold: pd.DataFrame, predicted: pd.DataFrame) -> pd.DataFrame:
        store_id = str((sold if len(sold) else predicted)["store_id"].iloc[0])
        names = np.union1d(sold["product_id"].to_numpy(str), predicted["product_id"].to_numpy(str))
        store = StoreSales.of_pairs(sold.set_index("product_id").reindex(names), len(past), in_all_stores)
        days = [*past[store.start :], *horizon]
        known = calendar.closed_days(store_id, days)
        weekdays, shut = np.array([day.weekday() for day in days]), np.array([day in known for day in days])
        today = len(days) - len(horizon)
        factors = store.promotion_factors(calendar.promoted(store_id, names.tolist(), days), shut[:today])
        store = store.without_promotions(factors)
        history = store.history(weekdays[:today], shut[:today], finds_closed=calendar.finds_closed_days)
        open_share = ~shut[None, today:] * store.on_sale(len(horizon))
        found = forecast_store(history, weekdays[today:], open_share=open_share)
        size, raised = store.expected_size, factors[:, today:]
        store_mean = found.mean * raised * size[:, None]
        weight = np.zeros(len(names))
        sums, predicted = predicted, of_morning(predicted, 0)
        from_baskets = by_day(predicted, names, "ahead", "units", stop=len(horizon)) * open_share
        if settings.route == "model" and "model_units" in predicted:
            from_model = by_day(predicted, names, "ahead", "model_units", stop=len(horizon)) * open_share
            others = other_share(predicted, names)
            from_model = with_store_days(found.mean * size[:, None], from_model, others) * raised
            weights = settings.model_weights or earned(found.weeks, sums, names, store, factors)
            weight = np.array(weights)[product_classes(history)]
            mean, part = blend_with_model(store_mean, from_model, others, weight)
        elif settings.route == "paper":
            mean = part = from_baskets
        else:
            mean, part = customer_route.blend(store_mean, from_baskets, settings.customer_weight)
        customers = by_day(predicted, names, "ahead", "n_customers", stop=len(horizon))
        usual = {
            "largest_week": found.largest_week * raised.max(axis=1),
            "trailing_week": store.trailing_week(history) * (raised * open_share).mean(axis=1),
        }
        largest_size = np.maximum(size, store.purchase_size)
        tonight = _rows(names, business_date, mean, size, found) | {
            "store_id": store_id,
            "model_weight": np.repeat(weight, len(horizon)),
            "from_customers": part.ravel(),
            "n_customers": customers.ravel().astype(np.int32),
            "method": np.repeat(found.methods, len(horizon)),
            "ignored_units": np.repeat(store.ignored_units, len(horizon)),
            **{name: np.repeat(week * largest_size, len(horizon)) for name, week in usual.items()},
        }
        tables = [pd.DataFrame(tonight)]
        for week in found.weeks:
            promoted = factors[:, week.start : week.start + week.mean.shape[1]]
            sells = (week.mean.sum(axis=1) > 0) | (week.sold.sum(axis=1) > 0)
            of_week = (week.mean * promoted * size[:, None])[sells]
            sold_then = (week.sold * promoted * store.purchase_size[:, None])[sells]
            rows = _rows(names[sells], days[week.start], of_week, size[sells], found)
            rows |= {"store_id": store_id, "units": sold_then.ravel()}
            rows |= {"method": np.repeat(week.methods[sells], of_week.shape[1])}
            tables.append(pd.DataFrame(rows))
        return pd.concat(tables).reindex(columns=[part.split()[0] for part in FORECASTS.split(", ")])

    return forecast


def _rows(
    names: np.ndarray, as_of: date, mean: np.ndarray, size: np.ndarray, found: StoreForecast
) -> dict[str, object]:
    """Columns of products [N] by day [N, H], mean in units; the spread is that of purchases."""
    days = mean.shape[1]
    purchases = mean / size[:, None]
    variance = found.daily.variance(purchases) * size[:, None] ** 2
    cumulative = found.weekly.variance(np.cumsum(purchases, axis=1)) * size[:, None] ** 2
    on = np.array([as_of + timedelta(days=ahead) for ahead in range(days)], dtype=object)
    return {
        "product_id": np.repeat(names, days),
        "as_of": as_of,
        "demand_on": np.tile(on, len(names)),
        "mean": mean.ravel(),
        "variance": variance.ravel(),
        "cumulative_variance": cumulative.ravel(),
        **{f"p{share}": quantile(mean, variance, share / 100).ravel() for share in (10, 50, 90)},
    }


def main(argv: list[str] | None = None) -> None:
    """Read this run's sales and predictions, publish the expected demand and the past weeks'."""
    with open_job("forecast_demand", arg_parser(__doc__).parse_args(argv)) as job:
        if job.was_published(EXPECTED_DEMAND.name, DEMAND_BACKTESTS.name):
            return
        spark = open_session(job.name, job.settings)
        inputs: tuple[str, ...] = ("transactions", "baskets", "predictions", "products", "stock_levels")
        if job.settings.demand.route == "model":
            inputs = (*inputs, CUSTOMER_DEMAND.name)
        frames, versions = read_tables(spark, job, *inputs)
        if (name := CUSTOMER_DEMAND.name) in versions:
            frames[name], versions[name] = read_sums(job, frames[name], versions[name])
        job.record.rows_in = frames["predictions"].count()
        found = forecast_demand(
            **frames,
            business_date=job.run.business_date,
            settings=job.settings.demand,
            calendar=job.source.calendar,
        )
        job.record.details |= check_bounds(found.expected_demand, frames["products"], job.settings.demand)
        if job.settings.demand.route == "model":
            weighed = found.expected_demand.filter("model_weight > 0").select(*PAIR).distinct()
            job.record.details["products_with_model_weight"] = weighed.count()
        for name in (DEMAND_BACKTESTS.name, EXPECTED_DEMAND.name):
            if not job.workspace.lake.is_published(name, job.run.run_id):
                publish_table(getattr(found, name), job, name, versions)


if __name__ == "__main__":
    main()
