"""What the page says when all is not well, or nothing is there yet; and its pictures for the README."""

import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import text

from pipeline.alerts.store import opened
from pipeline.settings import REPOSITORY, Settings
from pipeline.stages import stage
from tests.pipeline.page.conftest import DESKTOP, MORNING, TEN_INCHES, Served, open_row, serving
from tests.pipeline.page.shop import Shop

Visit = Callable[..., Page]
pytestmark = pytest.mark.browser


def test_old_data_are_shown_as_old(shop: Shop, visit: Visit) -> None:
    with serving(shop.settings, MORNING + timedelta(days=3)) as url:
        page = visit(url)
        expect(page.locator("#stale")).to_contain_text("3 days before 2026-03-05, which is due by now")
        expect(page.locator('.ag-row[row-index="0"] [col-id="store"]')).not_to_be_empty()


def test_before_the_due_hour_yesterdays_night_is_not_late(shop: Shop, visit: Visit) -> None:
    with serving(shop.settings, MORNING.replace(hour=2) + timedelta(days=1)) as url:
        page = visit(url)
        expect(page.locator("#as-of")).to_have_text("Data as of 2026-03-02")
        expect(page.locator("#stale")).to_have_count(0)


def test_a_failed_night_is_shown_with_its_reason(served: Served, visit: Visit) -> None:
    with pytest.raises(ValueError, match="no stock"), stage("ingest_stock", served.shop.workspace.run_folder("night2")):
        raise ValueError("no stock files for 2026-03-03")
    page = visit(served.url)
    expect(page.locator("#night-failed")).to_contain_text("night2 stopped at ingest_stock: ValueError: no stock files")


def test_before_the_first_night_it_says_what_to_do(settings: Settings, visit: Visit) -> None:
    with serving(settings) as url:
        for path in ("/", "/behaviour"):
            expect(visit(url + path).locator("#main")).to_contain_text("make nightly")
        expect(visit(url + "/segments").locator("#main")).to_contain_text("There are no segments yet")
        expect(visit(url + "/quality").locator("#main")).to_contain_text("No model has been measured yet")


def test_an_address_that_names_no_page_leads_back(served: Served, visit: Visit) -> None:
    page = visit(served.url + "/anomalies")
    expect(page.locator("#main")).to_contain_text("There is no page /anomalies here")
    page.get_by_role("link", name="Behaviour").click()
    expect(page.locator('.ag-row[row-index="0"]').first).to_be_visible()


def test_a_database_that_fails_is_named_without_its_password(visit: Visit, shop: Shop) -> None:
    with opened(shop.settings) as engine, engine.connect() as connection, connection.begin():
        connection.execute(text("DROP TABLE publications"))
    with serving(shop.settings) as url:
        page = visit(url)
        expect(page.locator("#main")).to_contain_text("The alerts cannot be read")
        expect(page.locator("#main")).to_contain_text("LARDER_DATABASE_URL")


def test_pictures(served: Served, visit: Visit, tmp_path: Path) -> None:
    """Both widths; `LARDER_PICTURES=1` puts them into docs/, where the README shows them."""
    page = visit(served.url, DESKTOP)
    expect(page.locator('.ag-row[row-index="0"] [col-id="store"]')).not_to_be_empty()
    page.screenshot(path=tmp_path / "page_stockouts.png")
    small = visit(served.url, TEN_INCHES)
    expect(small.locator('.ag-row[row-index="0"] [col-id="store"]')).not_to_be_empty()
    drawn = small.locator(".mantine-Drawer-content .js-plotly-plot")
    open_row(small.locator('.ag-row[row-index="0"] [col-id="store"]'), drawn)
    small.get_by_label("Units", exact=True).fill("40")
    expect(small.locator(".js-plotly-plot")).to_contain_text("What if")
    small.screenshot(path=tmp_path / "page_detail.png")
    for picture in tmp_path.glob("page_*.png"):
        assert picture.stat().st_size > 10_000
        if os.environ.get("LARDER_PICTURES"):
            shutil.copy(picture, REPOSITORY / "docs" / picture.name)
