"""The model's sums (`customer_demand`) beside the store's forecast: tonight's, and those of past weeks' first mornings.

A past week was summed on its first morning by a model that had learned nothing of it. Tonight's sums get the weight
that theirs earned in the store; without all past weeks they get none.
"""

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from models.demand.choice import PastWeek
from models.demand.model_route import (
    WINDOW_DAYS,
    WINDOWS,
    ModelWeek,
    earned_by_class,
    model_demand,
    with_store_days,
)
from models.refusal import Refusal
from pipeline.lake.lake import Lake
from pipeline.tables.customer_demand import CUSTOMER_DEMAND
from spark_jobs.session import Job
from spark_jobs.store_sales import StoreSales

LEARNED_BEFORE = "learned_before"
"""In a version's manifest: the first day that its model did not learn from; not there where no model summed."""


def read_sums(job: Job, tonight: DataFrame, version: str) -> tuple[DataFrame, str]:
    """Tonight's sums and those of past weeks' first mornings, with `weeks_ago`, and the versions that were read.

    Past ones only where `demand.model_weights` is unset. The record says which of them are missing.

    Raises: Refusal: where tonight's are another morning's.
    """
    _check_morning(job, version)
    versions, lake = [version], job.workspace.lake
    found = tonight.withColumn("weeks_ago", F.lit(0))
    if job.settings.demand.model_weights is None:
        past, notes = _past_sums(lake, job.run.business_date)
        for weeks, earlier in past.items():
            path = str(lake.path(CUSTOMER_DEMAND.name, earlier))
            sums = tonight.sparkSession.read.schema(CUSTOMER_DEMAND.ddl).parquet(path)
            found = found.unionByName(sums.withColumn("weeks_ago", F.lit(weeks)))
        versions += past.values()
        if notes:
            job.record.details["model_has_no_weight"] = "; ".join(notes)
    return found, ",".join(versions)


def with_model_units(
    predicted: DataFrame, customer_demand: DataFrame, business_date: date, horizon_days: int
) -> DataFrame:
    """`customer_units` with `model_units` and `other_share` of `customer_demand`; a row where either has one."""
    morning = F.date_sub(F.lit(business_date), WINDOW_DAYS * F.col("weeks_ago"))
    of_model = customer_demand.select(
        "store_id",
        "product_id",
        "weeks_ago",
        F.datediff("demand_on", morning).alias("ahead"),
        F.col("units").alias("model_units"),
        "other_share",
    ).filter(F.col("ahead") < F.when(F.col("weeks_ago") == 0, horizon_days).otherwise(WINDOW_DAYS))
    tonight = predicted.withColumn("weeks_ago", F.lit(0))
    joined = tonight.join(of_model, ["store_id", "product_id", "weeks_ago", "ahead"], "full")
    return joined.fillna(0, ["units", "n_customers", "model_units"])


def of_morning(rows: pd.DataFrame, weeks_ago: int) -> pd.DataFrame:
    """Rows of tonight, or of the first morning of a past week; all are of tonight where the column is not there."""
    return rows[rows["weeks_ago"] == weeks_ago] if "weeks_ago" in rows else rows


def earned(
    weeks: Sequence[PastWeek], sums: pd.DataFrame, names: np.ndarray, store: StoreSales, factors: np.ndarray
) -> tuple[float, ...]:
    """The model's weight in each class of product; 0 without the whole sums of all past weeks.

    Args: weeks: the latest first; sums: of all mornings, see `with_model_units`; factors: [N, T], of promotions.
    """
    found = []
    for number, week in enumerate(weeks, 1):
        of_week = of_morning(sums, number)
        if of_week["ahead"].max() == WINDOW_DAYS - 1:
            promoted = factors[:, week.start : week.start + WINDOW_DAYS]
            found.append(_model_week(week, of_week, names, store, promoted))
    return tuple(earned_by_class(found).tolist())


def _model_week(
    week: PastWeek, sums: pd.DataFrame, names: np.ndarray, store: StoreSales, promoted: np.ndarray
) -> ModelWeek:
    """A past week in units by the store's forecast, and by the model's sums of its first morning.

    Args: sums: `with_model_units` of that morning; promoted: [N, 7], factors of promotions in that week.
    """
    store_mean, others = week.mean * store.expected_size[:, None], other_share(sums, names)
    found = with_store_days(store_mean, by_day(sums, names, "ahead", "model_units", stop=WINDOW_DAYS), others)
    return ModelWeek(
        store_mean * promoted * week.on_shelf,
        model_demand(store_mean, found, others) * promoted * week.on_shelf,
        week.sold * promoted * store.purchase_size[:, None] * week.on_shelf,
        week.classes,
    )


def other_share(rows: pd.DataFrame, names: np.ndarray) -> np.ndarray:
    """`other_share` by product, [N]; NaN where no row has one."""
    known = rows.dropna(subset=["other_share"])
    share = np.full(len(names), np.nan)
    share[np.searchsorted(names, known["product_id"].to_numpy(str))] = known["other_share"]
    return share


def by_day(rows: pd.DataFrame, names: np.ndarray, day: str, value: str, *, stop: int) -> np.ndarray:
    """The `value` of the rows by product and day, [N, stop]; 0 where there is no row."""
    values = np.zeros((len(names), stop))
    values[np.searchsorted(names, rows["product_id"].to_numpy(str)), rows[day].to_numpy(int)] = rows[value]
    return values


def _past_sums(lake: Lake, today: date) -> tuple[dict[int, str], list[str]]:
    """Kept versions of `customer_demand` of the first mornings of past weeks, by weeks ago; what is said of the others.

    Left out are sums by a model that may have learned from the weeks it is weighed by, of a morning that ran again.
    """
    table, kept, notes = CUSTOMER_DEMAND.name, {}, []
    mornings = {lake.manifest(table, version).business_date: version for version in lake.versions(table)}
    for weeks in range(1, WINDOWS + 1):
        morning = today - timedelta(days=WINDOW_DAYS * weeks)
        version = mornings.get(morning)
        details = lake.manifest(table, version).details if version else {}
        if version is None or LEARNED_BEFORE not in details:
            notes.append(f"no sums of {morning}")
        elif date.fromisoformat(details[LEARNED_BEFORE]) <= morning:
            kept[weeks] = version
        else:
            notes.append(f"{version}: its model may have learned from days after {morning}")
    return kept, notes


def _check_morning(job: Job, version: str) -> None:
    """Raises: Refusal: where the model's sums are another morning's."""
    found = job.workspace.lake.manifest(CUSTOMER_DEMAND.name, version).business_date
    if found != job.run.business_date:
        raise Refusal(
            f"{CUSTOMER_DEMAND.name} {version} is of {found}, not of {job.run.business_date}: demand.route was set to "
            '"model" after this run\'s predict_baskets; start another run, or set it back'
        )
