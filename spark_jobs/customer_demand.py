"""Expected units by the model, per store, product and day (`customer_demand`), beside the share of all others.

The champion sums in the executors; what leaves them are sums by store, product and day. Only products that a store has
sold lately are kept of its sums: nobody buys there what is not there.
"""

from datetime import date, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from models.catalog import ARCHITECTURES
from models.demand.customer_sums import SUM_STEPS
from models.demand.model_route import WINDOW_DAYS, WINDOWS, share_of_others
from models.refusal import Refusal
from pipeline.dataset.demand_rows import PARTIAL_SUMS, CustomerDemandPredictor
from pipeline.dataset.prediction_rows import sent
from pipeline.dataset.vocabulary import product_names
from pipeline.settings import Settings
from pipeline.task import PredictionInput
from spark_jobs.prediction import in_executors
from spark_jobs.product_histories import exact_sum


def predictor_of(given: PredictionInput) -> CustomerDemandPredictor | None:
    """The champion that sums; None before the first.

    Raises: Refusal: for a champion that predicts no distribution of days.
    """
    if given.model is None:
        return None
    if ARCHITECTURES[given.model.architecture].time_head != "hazard":
        raise Refusal(
            f'demand.route = "model" needs days with probabilities; {given.model.version} of architecture '
            f"{given.model.architecture} predicts one number of days: set training.architecture to lens, "
            'or demand.route to "store"'
        )
    tonight = product_names(given.tables["vocabulary"])
    settings = given.settings
    return CustomerDemandPredictor(
        given.business_date,
        settings.demand.horizon_days,
        settings.prediction.batch_size,
        tonight,
        sent(given.model, given, tonight),
    )


def customer_demand(
    rows: DataFrame,
    predictor: CustomerDemandPredictor | None,
    baskets: DataFrame,
    business_date: date,
    settings: Settings,
) -> DataFrame:
    """`customer_demand` in its columns, without rows before the first champion.

    Args: rows: funnels as `predict_baskets` predicts them.
    """
    shares = shares_of_others(baskets, business_date, settings)
    if predictor is None:
        nothing = shares.filter(F.lit(False))
        return nothing.select(
            "store_id", "product_id", F.lit(business_date).alias("demand_on"), F.lit(0.0).alias("units"), "other_share"
        )
    sums = in_executors(rows, predictor, PARTIAL_SUMS).groupBy("store_id", "product_id", "ahead")
    # As decimals, which no number of customers overflows; whole steps, so that their order changes nothing.
    units = (F.sum(F.col("steps").cast("decimal(38,0)")).cast("double") / SUM_STEPS).alias("units")
    on = F.date_add(F.lit(business_date), F.col("ahead")).alias("demand_on")
    return (
        sums.agg(units)
        .join(shares, ["store_id", "product_id"])
        .select("store_id", "product_id", on, "units", "other_share")
    )


def shares_of_others(baskets: DataFrame, business_date: date, settings: Settings) -> DataFrame:
    """store_id, product_id and other_share of every product that a store has sold in the trailing days.

    Others are whoever the model would not have predicted as of the beginning of the week in which they bought: without
    a customer, with fewer baskets than a sequence needs, or away for longer than `active_days`.
    """
    kept = baskets.filter((F.col("sold_on") < F.lit(business_date)) & (F.col("n_products") > 0))
    recent = kept.filter(F.col("sold_on") >= F.lit(business_date - timedelta(days=WINDOWS * WINDOW_DAYS)))
    ago = F.ceil(F.datediff(F.lit(business_date), "sold_on") / WINDOW_DAYS).cast("int")
    recent = recent.withColumn("begun", F.date_sub(F.lit(business_date), WINDOW_DAYS * ago))
    known = kept.filter(F.col("customer_id").isNotNull())
    days = known.groupBy("customer_id").agg(F.sort_array(F.collect_list("sold_on")).alias("days"))
    before = F.filter("days", lambda day: day < F.col("begun"))
    is_predicted = (F.size(before) >= settings.sequences.min_baskets) & (
        F.array_max(before) >= F.date_sub("begun", settings.prediction.active_days)
    )
    lines = (
        recent.join(days, "customer_id", "left")
        .withColumn("is_other", ~F.coalesce(is_predicted, F.lit(False)))
        .select("store_id", "is_other", F.inline("products"))
    )
    of = [exact_sum(F.col("quantity"), "all"), exact_sum(F.when(F.col("is_other"), F.col("quantity")), "others")]
    stores = lines.groupBy("store_id").agg(*of)
    usual = F.coalesce(F.col("others") / F.col("all"), F.lit(0.0))
    stores = stores.select("store_id", usual.alias("usual"))
    trailing = kept.filter(F.col("sold_on") >= F.lit(business_date - timedelta(days=settings.demand.history_days)))
    sold = trailing.select("store_id", F.inline("products")).select("store_id", "product_id").distinct()
    pair = ["store_id", "product_id"]
    joined = sold.join(lines.groupBy(*pair).agg(*of), pair, "left").join(stores, "store_id", "left")
    others, units = (F.coalesce(F.col(name), F.lit(0.0)) for name in ("others", "all"))
    # A store that sold nothing in these weeks has only others.
    share = share_of_others(others, units, F.coalesce("usual", F.lit(1.0)))
    return joined.select(*pair, share.alias("other_share"))
