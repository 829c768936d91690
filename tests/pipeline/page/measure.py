"""How fast the page is with many open alerts: `python -m tests.pipeline.page.measure [--postgres]`.

Reports and asserts nothing. First table: from the address to rows on the screen, on a first and on a second visit, when
the page's files are cached. Filter: from the last key of a filter to filtered rows, the grid's waiting for further
keys included.
"""

import argparse
import os
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from statistics import median

from playwright.sync_api import Page, sync_playwright
from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from pipeline.alerts.incident_models import Incident
from pipeline.alerts.models import StockoutAlert, alert_id
from pipeline.alerts.store import opened
from pipeline.page.context import Context
from pipeline.page.rows import GridRequest, fetch_and_count
from pipeline.page.views import stockouts
from pipeline.settings import Settings
from tests.pipeline.alerts.postgres import cluster
from tests.pipeline.page.conftest import chromium, serving
from tests.pipeline.page.shop import open_shop

ASKED = {
    "no filter": {},
    "store": {"store": {"type": "contains", "filter": "s002"}},
    "units short of at least": {"units_short": {"type": "greaterThanOrEqual", "filter": 20}},
    "product, found nowhere": {"product": {"type": "contains", "filter": "no such thing"}},
}


def multiply(settings: Settings, alerts: int) -> None:
    """Copy the shop's open stock-outs to so many stores that there are `alerts` of them."""
    with opened(settings) as engine, engine.connect() as connection, connection.begin(), Session(connection) as session:
        pairs = session.execute(
            select(Incident.__table__)
            .join(StockoutAlert, StockoutAlert.id == Incident.alert_id)
            .filter(Incident.is_live)
        ).mappings()
        incidents = [dict(row) for row in pairs]
        shown = {row.id: asdict(row) for row in session.scalars(select(StockoutAlert))}
        made: list[dict[str, object]] = []
        copies: list[dict[str, object]] = []
        for number in range(alerts - len(incidents)):
            incident = incidents[number % len(incidents)]
            store, alert = f"T{number:06d}", shown[incident["alert_id"]]
            key = alert_id("stockout", "shop", alert["business_date"], store, alert["product_id"])
            changed = {"id": key, "store_id": store, "rank": 1000 + number, "units_short": (number * 37 % 1000) / 10}
            copies.append(alert | changed | {"value_at_risk_cents": number * 7919 % 1_000_000})
            named = {"id": "i" + key[1:], "subject": key, "alert_id": key, "store_id": store}
            made.append(incident | named | {"value_at_risk_cents": number * 7919 % 1_000_000})
        connection.execute(insert(StockoutAlert), copies)
        connection.execute(insert(Incident.__table__), made)
        # PostgreSQL does so itself within a minute.
        connection.execute(text("ANALYZE"))


def in_sql(settings: Settings) -> None:
    """Milliseconds for the first block of rows and the count, by filter."""
    context = Context(settings)
    for name, filters in ASKED.items():
        taken = []
        for _ in range(5):
            started = time.perf_counter()
            with context.reading() as connection:
                asked = GridRequest.of({"filterModel": filters})
                _, found = fetch_and_count(connection, stockouts("shop"), asked, 0, 50)
            taken.append(1000 * (time.perf_counter() - started))
        print(f"SQL, {name:<26} {found:>7,} rows {median(taken):7.0f} ms")
    context.engine.dispose()


def in_browser(url: str) -> None:
    """Seconds until the table stands there, and until a filter has changed it."""
    with sync_playwright() as playwright:
        browser = chromium(playwright)
        page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        for visit in ("first visit", "second visit"):
            page.goto("about:blank")
            print(f"browser, first table, {visit}: {_timed(page, lambda: page.goto(url)):.2f} s")
        for text in ("s002", "t0000", "t00099"):
            box = page.locator('.ag-floating-filter [aria-label="Store Filter Input"]:enabled')
            print(f"browser, filter on store {text!r}: {_timed(page, lambda box=box, text=text: box.fill(text)):.2f} s")
        browser.close()


def _timed(page: Page, act: object) -> float:
    before = page.evaluate("() => document.querySelector('#stockouts-count')?.textContent || ''")
    started = time.perf_counter()
    act()  # type: ignore[operator]
    page.wait_for_function(
        "(before) => { const words = document.querySelector('#stockouts-count')?.textContent;"
        ' const cell = document.querySelector(\'.ag-row[row-index="0"] [col-id="store"]\');'
        " return words && cell && cell.textContent && (words !== before || !before); }",
        arg=before,
        polling=20,
    )
    return time.perf_counter() - started


def main() -> None:
    """Measure on SQLite, or on a PostgreSQL that is started for it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alerts", type=int, default=100_000)
    parser.add_argument("--postgres", action="store_true")
    asked = parser.parse_args()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        if asked.postgres:
            os.environ["LARDER_DATABASE_URL"] = stack.enter_context(cluster())
        settings = Settings(data_dir=Path(folder))
        shop = open_shop(settings)
        multiply(settings, asked.alerts)
        in_sql(settings)
        with serving(shop.settings, datetime.fromisoformat("2026-03-02T08:00:00+00:00")) as url:
            in_browser(url)


if __name__ == "__main__":
    main()
