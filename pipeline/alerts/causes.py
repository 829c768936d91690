"""The predicted baskets behind an alert, read from the versions of the alert's own run.

A stock-out is caused by the customers of its store whose predicted basket holds the product on a day of the horizon.
An anomaly is shown as what the funnel bought on its latest days beside what the nights before predicted.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from pipeline.alerts.models import AnomalyAlert, StockoutAlert
from pipeline.lake.lake import Lake, LakeError

SHOWN_DAYS = 5


@dataclass(frozen=True)
class Buyer:
    """A customer predicted to buy the product: with this probability, so many units, on this day."""

    customer_id: str
    probability: float
    quantity: float
    expected_on: date


@dataclass(frozen=True)
class Basket:
    """What was bought on a day, or predicted for it in the night `predicted_on`: names and units, most units first."""

    day: date
    products: tuple[tuple[str, float], ...]
    predicted_on: date | None


def buyers(lake: Lake, alert: StockoutAlert) -> list[Buyer]:
    """The predicted baskets that cause a stock-out, most expected units first."""
    last = alert.business_date + timedelta(days=alert.horizon_days - 1)
    only = (
        (ds.field("funnel_kind") == "customer")
        & (ds.field("store_id") == alert.store_id)
        & (ds.field("next_sold_on") >= pa.scalar(alert.business_date))
        & (ds.field("next_sold_on") <= pa.scalar(last))
    )
    columns = ["funnel_id", "next_sold_on", "products"]
    found: list[Buyer] = []
    for batch in ds.dataset(_of_run(lake, "predictions", alert.run_id), format="parquet").to_batches(
        columns=columns, filter=only
    ):
        lines = pc.list_flatten(batch.column("products"))
        parents = pc.list_parent_indices(batch.column("products"))
        wanted = pc.equal(lines.field("product_id"), alert.product_id)
        holders, matching = batch.take(parents.filter(wanted)), lines.filter(wanted)
        found += [
            Buyer(customer, line["probability"], line["quantity"], day)
            for customer, day, line in zip(
                holders.column("funnel_id").to_pylist(),
                holders.column("next_sold_on").to_pylist(),
                matching.to_pylist(),
                strict=True,
            )
        ]
    return sorted(found, key=lambda buyer: (-buyer.probability * buyer.quantity, buyer.customer_id))


def history(lake: Lake, alert: AnomalyAlert) -> list[Basket]:
    """The funnel's latest days with baskets, and what each night up to the alert's own predicted, in order of days."""
    # A store sells every day; a customer's latest basket may lie long ago.
    since = alert.business_date - timedelta(days=2 * SHOWN_DAYS) if alert.funnel_kind == "store" else None
    bought, predicted = _bought(lake, alert, since), _predicted(lake, alert)
    shown = sorted(bought)[-SHOWN_DAYS:]
    nights = sorted(predicted)[-SHOWN_DAYS:]
    wanted = [*(bought[day] for day in shown), *(predicted[business_date][1] for business_date in nights)]
    names = _names(lake, alert.run_id, {product for units in wanted for product in units})
    baskets = [_basket(day, bought[day], names, None) for day in shown]
    baskets += [_basket(*predicted[business_date], names, business_date) for business_date in nights]
    return sorted(baskets, key=lambda basket: (basket.day, basket.predicted_on or date.min))


def timeline(lake: Lake, alert: AnomalyAlert, days: int) -> tuple[dict[date, float], dict[date, tuple[date, float]]]:
    """Units that the funnel bought by day, over the last `days`, and what the kept nights predicted: by night, the day
    and the units."""
    bought = _bought(lake, alert, alert.business_date - timedelta(days=days))
    predicted = _predicted(lake, alert)
    return (
        {day: sum(bought[day].values()) for day in sorted(bought)},
        {business_date: (day, sum(units.values())) for business_date, (day, units) in sorted(predicted.items())},
    )


def _bought(lake: Lake, alert: AnomalyAlert, since: date | None) -> dict[date, dict[str, float]]:
    """Units by day and product, before the alert's night."""
    owner = "customer_id" if alert.funnel_kind == "customer" else "store_id"
    wanted = (ds.field(owner) == alert.funnel_id) & (ds.field("sold_on") < pa.scalar(alert.business_date))
    if since is not None:
        wanted &= ds.field("sold_on") >= pa.scalar(since)
    bought: dict[date, dict[str, float]] = {}
    for row in _read(_of_run(lake, "baskets", alert.run_id), ["sold_on", "products"], wanted):
        _add(bought.setdefault(row["sold_on"], {}), row["products"])
    return bought


def _predicted(lake: Lake, alert: AnomalyAlert) -> dict[date, tuple[date, dict[str, float]]]:
    """By night, the day predicted for the next basket and its units by product."""
    predicted: dict[date, tuple[date, dict[str, float]]] = {}
    is_funnel = (ds.field("funnel_kind") == alert.funnel_kind) & (ds.field("funnel_id") == alert.funnel_id)
    for business_date, folder in _nights(lake, alert):
        for row in _read(folder, ["next_sold_on", "products"], is_funnel):
            predicted[business_date] = row["next_sold_on"], _add({}, row["products"])
    return predicted


def _nights(lake: Lake, alert: AnomalyAlert) -> Iterator[tuple[date, Path]]:
    """The kept predictions of the nights up to the alert's, its own run's last."""
    own = _of_run(lake, "predictions", alert.run_id)
    for version in lake.versions("predictions"):
        business_date = lake.manifest("predictions", version).business_date
        if business_date < alert.business_date:
            yield business_date, lake.path("predictions", version)
    yield alert.business_date, own


def _add(units: dict[str, float], lines: list[dict[str, Any]]) -> dict[str, float]:
    for line in lines:
        units[line["product_id"]] = units.get(line["product_id"], 0.0) + line["quantity"]
    return units


def _basket(day: date, units: dict[str, float], names: dict[str, str], predicted_on: date | None) -> Basket:
    ordered = sorted(units.items(), key=lambda entry: (-entry[1], entry[0]))
    return Basket(day, tuple((names.get(product, product), count) for product, count in ordered), predicted_on)


def _names(lake: Lake, run_id: str, wanted: set[str]) -> dict[str, str]:
    only = ds.field("product_id").isin(pa.array(sorted(wanted), pa.string()))
    return {row["product_id"]: row["name"] for row in _read(_of_run(lake, "products", run_id), None, only)}


def _read(folder: Path, columns: list[str] | None, only: ds.Expression) -> Iterator[dict[str, Any]]:
    for batch in ds.dataset(folder, format="parquet").to_batches(columns=columns, filter=only):
        yield from batch.to_pylist()


def _of_run(lake: Lake, table: str, run_id: str) -> Path:
    if not lake.is_published(table, run_id):
        raise LakeError(
            f"the {table} of run {run_id}, which made this alert, are not kept any more; "
            "LARDER_KEEP_VERSIONS says how many versions are"
        )
    return lake.path(table, run_id)
