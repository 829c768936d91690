"""The predicted baskets behind an alert, read from the versions of the alert's own run.

A stock-out is caused by the customers of its store whose predicted basket holds the product on a day of the horizon.
An anomaly is shown as the funnel's latest baskets beside the basket that is predicted next.
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

SHOWN_BASKETS = 5


@dataclass(frozen=True)
class Buyer:
    """A customer predicted to buy the product: with this probability, so many units, on this day."""

    customer_id: str
    probability: float
    quantity: float
    expected_on: date


@dataclass(frozen=True)
class Basket:
    """A basket as people read it: product names and units, most units first."""

    sold_on: date
    products: tuple[tuple[str, float], ...]
    is_predicted: bool


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
    """The funnel's latest baskets before the night, oldest first, then the one predicted next."""
    owner = "customer_id" if alert.funnel_kind == "customer" else "store_id"
    before = (ds.field(owner) == alert.funnel_id) & (ds.field("sold_on") < pa.scalar(alert.business_date))
    happened = sorted(_read(_of_run(lake, "baskets", alert.run_id), ["sold_on", "started_at_utc", "products"], before),
                      key=lambda row: row["started_at_utc"])[-SHOWN_BASKETS:]  # fmt: skip
    is_funnel = (ds.field("funnel_kind") == alert.funnel_kind) & (ds.field("funnel_id") == alert.funnel_id)
    predicted = list(_read(_of_run(lake, "predictions", alert.run_id), ["next_sold_on", "products"], is_funnel))
    names = _names(lake, alert.run_id, [line["product_id"] for row in happened + predicted for line in row["products"]])
    return [_basket(row["sold_on"], row["products"], names, is_predicted=False) for row in happened] + [
        _basket(row["next_sold_on"], row["products"], names, is_predicted=True) for row in predicted
    ]


def _basket(day: date, lines: list[dict[str, Any]], names: dict[str, str], *, is_predicted: bool) -> Basket:
    ordered = sorted(lines, key=lambda line: (-line["quantity"], line["product_id"]))
    products = tuple((names.get(line["product_id"], line["product_id"]), line["quantity"]) for line in ordered)
    return Basket(day, products, is_predicted)


def _names(lake: Lake, run_id: str, wanted: list[str]) -> dict[str, str]:
    only = ds.field("product_id").isin(pa.array(sorted(set(wanted)), pa.string()))
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
