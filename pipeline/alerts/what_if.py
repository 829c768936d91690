"""What a further delivery would change for one shelf, from the tables of the night's own run.

Used by the command and the page; the arithmetic is `models.stockouts.what_if`.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow.dataset as ds

from models.days import short_day
from models.names import closest_of
from models.stockouts.calibration import Calibration
from models.stockouts.shortages import Shelves
from models.stockouts.what_if import WhatIf, what_if
from pipeline.alerts.store import AlertStoreError
from pipeline.lake.lake import Lake, LakeError
from pipeline.settings import DemandSettings
from pipeline.terminal import money


@dataclass(frozen=True)
class Shelf:
    """One product in one store in one night; `shelves` holds this one row, its days are `horizon`."""

    store_id: str
    product_id: str
    name: str
    price_cents: float
    horizon: list[date]
    shelves: Shelves


def read_shelf(lake: Lake, run_id: str, business_date: date, store_id: str, product_id: str) -> Shelf:
    """The shelf as the run's stock-out detection saw it.

    Raises: AlertStoreError: the run expected no demand for the product in the store, or knows no stock of it there; for
                an unknown store or product the message names known ones, the closest first;
            LakeError: the run's tables are not kept any more.
    """
    pair = (ds.field("store_id") == store_id) & (ds.field("product_id") == product_id)
    demand = sorted(_rows(lake, "expected_demand", run_id, pair), key=lambda row: row["demand_on"])
    stock = _rows(lake, "stock_levels", run_id, pair)
    if not demand or not stock:
        for column, wanted in (("store_id", store_id), ("product_id", product_id)):
            known = _known(lake, run_id, column)
            if wanted not in known:
                what = column.removesuffix("_id")
                raise AlertStoreError(
                    f"the night of {business_date} has no {what} {wanted!r}; {closest_of(wanted, known)}"
                )
        what = "expected no demand for" if not demand else "knows no stock of"
        raise AlertStoreError(
            f"the night of {business_date} {what} product {product_id!r} in store {store_id!r}; "
            "`larder alerts list --kind stockout` shows stores, `larder alerts why ID` an alert's product"
        )
    arriving = dict.fromkeys((row["demand_on"] for row in demand), 0.0)
    for row in _rows(lake, "resupplies", run_id, pair):
        if row["arrives_on"] in arriving:
            arriving[row["arrives_on"]] += row["units"]
    products = _rows(lake, "products", run_id, ds.field("product_id") == product_id)
    mean, variance, cumulative = (
        np.array([[row[column] for row in demand]]) for column in ("mean", "variance", "cumulative_variance")
    )
    on_hand, arrives = np.array([stock[0]["on_hand"]]), np.array([list(arriving.values())])
    shelves = Shelves(mean, variance, cumulative, on_hand, arrives, _calibration(lake, run_id, store_id))
    name, price = (products[0]["name"], products[0]["price_cents"]) if products else (product_id, 0.0)
    return Shelf(store_id, product_id, name, price or 0.0, list(arriving), shelves)


def deliver(shelf: Shelf, day: date, units: float, settings: DemandSettings) -> WhatIf:
    """The shelf without and with `units` more arriving before the opening of `day`.

    Raises: ValueError: where the day lies outside the night's horizon or the units are negative.
    """
    ahead = (day - shelf.horizon[0]) // timedelta(days=1)
    if not 0 <= ahead < len(shelf.horizon):
        raise ValueError(f"a delivery on {day}: the night looks at {shelf.horizon[0]} to {shelf.horizon[-1]} only")
    return what_if(shelf.shelves, ahead, units, settings.min_probability, settings.residual)


def described(shelf: Shelf, changed: WhatIf, day: date, units: float) -> tuple[str, str, list[list[object]]]:
    """A title, a verdict in one sentence, and rows of what, as planned, with the delivery."""
    both = ((changed.before, changed.short_before[0]), (changed.after, changed.short_after[0]))
    short_days = [[short_day(on) for on, short in zip(shelf.horizon, days, strict=True) if short] for _, days in both]
    title = f"{units:g} more of {shelf.name} ({shelf.product_id}) in store {shelf.store_id} on {short_day(day)}"
    rows: list[list[object]] = [
        ["short on", *(", ".join(days) or "no day" for days in short_days)],
        ["probability of being short", *(f"{shortage.short_by[0, -1]:.2f}" for shortage, _ in both)],
        ["units short", *(f"{shortage.units_short[0]:.1f}" for shortage, _ in both)],
        ["lost sales", *(money(round(shortage.units_short[0] * shelf.price_cents)) for shortage, _ in both)],
        ["days of cover", *(f"{shortage.days_of_cover[0]:.1f}" for shortage, _ in both)],
    ]
    return title, _verdict(changed, day, short_days[1]), rows


def _verdict(changed: WhatIf, day: date, still_short: list[str]) -> str:
    needed = f"{changed.units_needed[0]:g} units on {short_day(day)} would keep it from being short from then on"
    if not changed.before.is_alert[0]:
        return "There is no alert, with or without the delivery."
    if changed.alert_gone[0]:
        return f"The alert goes away; {needed}."
    return f"The alert stays: still short on {', '.join(still_short)}; {needed}."


def _known(lake: Lake, run_id: str, column: str) -> set[str]:
    """The stores or products of which the night knows stock or demand."""
    known: set[str] = set()
    for table in ("expected_demand", "stock_levels"):
        data = ds.dataset(lake.path(table, run_id), format="parquet")
        for batch in data.to_batches(columns=[column]):
            known.update(batch.column(0).unique().to_pylist())
    return known


def _calibration(lake: Lake, run_id: str, store_id: str) -> Calibration:
    """What the night's back-tests made of this store's probabilities; none where it had none."""
    if not lake.is_published("alert_backtests", run_id):
        return Calibration()
    of_store = (ds.field("store_id") == store_id) & (ds.field("kind") == "stockout")
    rows = _rows(lake, "alert_backtests", run_id, of_store)
    return Calibration(rows[0]["intercept"], rows[0]["slope"]) if rows else Calibration()


def _rows(lake: Lake, table: str, run_id: str, only: ds.Expression) -> list[dict[str, Any]]:
    if not lake.is_published(table, run_id):
        raise LakeError(
            f"the {table} of run {run_id} are not kept any more; LARDER_KEEP_VERSIONS says how many versions are"
        )
    rows: list[dict[str, Any]] = (
        ds.dataset(lake.path(table, run_id), format="parquet").to_table(filter=only).to_pylist()
    )
    return rows
