"""A small shop with two published nights, such as the page shows it: made of the simulator's products, by one seed."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from models.demand.counts import quantile
from models.stockouts.shortages import Shelves, find_shortages, reasons, severity
from pipeline.alerts.publish import publish_alerts
from pipeline.settings import Settings
from pipeline.simulator.catalogue import make_product
from pipeline.simulator.categories import CATEGORIES
from pipeline.workspace import Run, Workspace
from tests.factories import (
    anomaly,
    basket,
    expected_demand,
    prediction,
    product,
    resupply,
    stock_level,
    stockout,
    transaction,
)
from tests.published_tables import publish_rows

NIGHT = date(2026, 3, 2)
HORIZON = 7
STORES = ("S001", "S002", "S003")
PER_CATEGORY = 6


@dataclass(frozen=True)
class Shop:
    """Where it lies, and what its latest night holds."""

    settings: Settings
    workspace: Workspace
    stockouts: list[dict[str, Any]]


def open_shop(settings: Settings, source: str = "shop") -> Shop:
    """Publish the nights of 1 and 2 March: a few stock-outs of the first end in the second, and new ones begin."""
    workspace = Workspace.of(settings, source)
    publish_rows(workspace, "transactions", transaction(), version="night0")
    for number, business_date in enumerate((NIGHT - timedelta(days=1), NIGHT)):
        run = Run(source, business_date, f"night{number}")
        stockouts = _publish_night(workspace, run, number)
        publish_alerts(settings, workspace, source, run)
    return Shop(settings, workspace, stockouts)


def _publish_night(workspace: Workspace, run: Run, number: int) -> list[dict[str, Any]]:
    rng = np.random.default_rng(7)
    catalogue = [
        make_product(100 * place + serial, place, serial, rng)
        for place in range(len(CATEGORIES))
        for serial in range(PER_CATEGORY)
    ]
    horizon = [run.business_date + timedelta(days=ahead) for ahead in range(HORIZON)]
    tables: dict[str, list[dict[str, Any]]] = {"expected_demand": [], "stock_levels": [], "resupplies": []}
    stockouts = []
    for store in STORES:
        shelves = _shelves(np.random.default_rng((number, STORES.index(store))), len(catalogue))
        shortage = find_shortages(shelves, 0.35)
        price = np.array([float(one.cents) for one in catalogue])
        value = np.rint(shortage.units_short * price).astype(int)
        usual = float((shelves.mean.sum(axis=1) * price).mean())
        told = reasons(shelves, shortage, horizon)
        worst = severity(value, shortage.short_day, usual)
        low, high = (quantile(shelves.mean, shelves.variance, share) for share in (0.1, 0.9))
        for row, one in enumerate(catalogue):
            pair = {"store_id": store, "product_id": one.product_id}
            tables["stock_levels"].append(stock_level(**pair, on_hand=shelves.on_hand[row], as_of=run.business_date))
            for ahead, day in enumerate(horizon):
                figures = {
                    name: float(getattr(shelves, name)[row, ahead])
                    for name in ("mean", "variance", "cumulative_variance")
                }
                band = {"p10": float(low[row, ahead]), "p90": float(high[row, ahead])}
                tables["expected_demand"].append(expected_demand(**pair, demand_on=day, **figures, **band))
                if shelves.arriving[row, ahead]:
                    units = float(shelves.arriving[row, ahead])
                    tables["resupplies"].append(resupply(**pair, arrives_on=day, units=units))
            if not shortage.is_alert[row]:
                continue
            demand, spread = shelves.mean[row].sum(), shelves.cumulative_variance[row, -1]
            arrives = np.flatnonzero(shelves.arriving[row])
            stockouts.append(
                stockout(
                    **pair,
                    category=CATEGORIES[one.category].name,
                    short_on=horizon[shortage.short_day[row]],
                    probability=float(shortage.short_by[row, -1]),
                    on_hand=float(shelves.on_hand[row]),
                    resupply=float(shelves.arriving[row].sum()),
                    resupply_on=horizon[arrives[0]] if len(arrives) else None,
                    demand=float(demand),
                    demand_p10=float(quantile(demand, spread, 0.1)),
                    demand_p90=float(quantile(demand, spread, 0.9)),
                    units_short=float(shortage.units_short[row]),
                    days_of_cover=float(shortage.days_of_cover[row]),
                    value_at_risk_cents=int(value[row]),
                    residual=shortage.residual[row].tolist(),
                    n_customers=int(3 + row % 5),
                    severity=worst[row],
                    reason=told[row],
                )
            )
    publish = {"version": run.run_id, "business_date": run.business_date}
    for name, rows in tables.items():
        publish_rows(workspace, name, *rows, **publish)
    names = [
        product(
            product_id=one.product_id,
            name=one.name,
            category=CATEGORIES[one.category].name,
            price_cents=float(one.cents),
        )
        for one in catalogue
    ]
    publish_rows(workspace, "products", *names, **publish)
    publish_rows(workspace, "stockouts", *stockouts, **publish)
    _publish_customers(workspace, run, stockouts, [one.product_id for one in catalogue])
    return stockouts


def _shelves(rng: np.random.Generator, products: int) -> Shelves:
    """Shelves of which about one in six runs short."""
    mean = rng.gamma(2.0, 3.0, (products, 1)) * rng.uniform(0.7, 1.4, (1, HORIZON))
    variance = 1.3 * mean
    cover = rng.choice([2.0, 3.0, 6.0, 9.0, 12.0], products, p=[0.06, 0.08, 0.16, 0.4, 0.3])
    arriving = np.zeros((products, HORIZON))
    delivered = rng.random(products) < 0.6
    arriving[delivered, rng.integers(1, 5, products)[delivered]] = np.rint(mean.mean(axis=1)[delivered] * 2)
    on_hand = np.rint(mean.mean(axis=1) * cover * rng.uniform(0.6, 1.1, products))
    return Shelves(mean, variance, np.cumsum(1.3 * variance, axis=1), on_hand, arriving)


def _publish_customers(workspace: Workspace, run: Run, short: list[dict[str, Any]], sold: list[str]) -> None:
    """Twelve customers with a basket a week, predicted baskets that hold the short products, three of them strange."""
    rng = np.random.default_rng(11)
    publish = {"version": run.run_id, "business_date": run.business_date}
    customers = [f"C{number:07d}" for number in range(1, 13)]
    baskets, predictions = [], []
    for number, customer in enumerate(customers):
        usual = [sold[(5 * number + step) % len(sold)] for step in range(6)]
        store = STORES[number % len(STORES)]
        for week in range(8, 0, -1):
            lines = [(one, float(rng.integers(1, 4)), 250) for one in sorted(usual[: rng.integers(3, 7)])]
            day = run.business_date - timedelta(days=7 * week - number % 7)
            if day < run.business_date:
                baskets.append(basket(customer_id=customer, store_id=store, sold_on=day, products=lines))
        dearest = sorted(short, key=lambda row: -row["value_at_risk_cents"])
        wanted = [*[row["product_id"] for row in dearest if row["store_id"] == store][:6], *usual[:3]]
        predictions.append(
            prediction(
                funnel_id=customer,
                store_id=store,
                next_sold_on=run.business_date + timedelta(days=number % HORIZON),
                business_date=run.business_date,
                products=[
                    {"product_id": one, "probability": 0.9 / (place + 1 + number / 12), "quantity": 1.0 + place % 3}
                    for place, one in enumerate(dict.fromkeys(wanted))
                ],
            )
        )
    publish_rows(workspace, "baskets", *baskets, **publish)
    publish_rows(workspace, "predictions", *predictions, **publish)
    told = (
        (5.2, "critical", "32 days without a basket since Wed 28 Jan, usually 7", 31250),
        (3.9, "high", "18 units on Sat 28 Feb, usually 6", 18400),
        (3.1, "medium", "Casa Lupo Olive Oil 750 ml and Kornblume Rye Bread 500 g, never bought before", 9900),
    )
    strange = [
        anomaly(
            funnel_id=customers[number],
            store_id=STORES[number % len(STORES)],
            observed_on=run.business_date - timedelta(days=1),
            score=score,
            severity=how_bad,
            reason=reason,
            value_cents=cents,
        )
        for number, (score, how_bad, reason, cents) in enumerate(told)
    ]
    publish_rows(workspace, "anomalies", *strange, **publish)
