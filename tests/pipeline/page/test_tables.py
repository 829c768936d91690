"""The tables in a real browser: order, filters, paging, widths, and files of exactly what is shown."""

import csv
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Locator, Page, expect

from pipeline.page.table_page import BLOCK
from tests.pipeline.page.conftest import TEN_INCHES, Served

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]


def cells(page: Page, column: str) -> list[str]:
    """The texts of a column, from the top, of the rows on the screen."""
    rows = page.locator(f'.ag-row [col-id="{column}"]')
    expect(rows.first).not_to_be_empty()
    # One read for all of them: the grid may draw its rows anew between two.
    found = rows.evaluate_all(
        "cells => cells.map(c => [Number(c.parentElement.getAttribute('row-index')), c.innerText])"
    )
    return [text for _, text in sorted(found)]


def filter_box(page: Page, heading: str) -> Locator:
    return page.locator(f'.ag-floating-filter [aria-label="{heading} Filter Input"]:enabled')


def shown(page: Page, words: str) -> None:
    expect(page.locator("#stockouts-count")).to_have_text(words)


def test_the_dearest_stock_out_stands_first(served: Served, visit: Visit) -> None:
    page = visit(served.url)
    shown(page, f"{len(served.shop.stockouts)} alerts")
    cents = sorted((row["value_at_risk_cents"] for row in served.shop.stockouts), reverse=True)
    assert cells(page, "lost_sales")[:5] == [f"{value / 100:,.2f}" for value in cents[:5]]
    expect(page.get_by_text(f"{sum(cents) / 100:,.2f}")).to_be_visible()
    expect(page.locator("#as-of")).to_have_text("Data as of 2026-03-02")
    expect(page.locator("#stale")).to_have_count(0)


def test_rows_further_down_are_fetched_when_they_are_looked_at(served: Served, visit: Visit) -> None:
    page = visit(served.url)
    shown(page, f"{len(served.shop.stockouts)} alerts")
    cheapest = min(row["value_at_risk_cents"] for row in served.shop.stockouts)
    last = len(served.shop.stockouts) - 1
    assert last > BLOCK
    page.evaluate(f"dash_ag_grid.getApi('stockouts-grid').ensureIndexVisible({last})")
    expect(page.locator(f'.ag-row[row-index="{last}"] [col-id="lost_sales"]')).to_have_text(f"{cheapest / 100:,.2f}")


def test_a_click_on_the_heading_sorts(served: Served, visit: Visit) -> None:
    page = visit(served.url)
    shown(page, f"{len(served.shop.stockouts)} alerts")
    page.get_by_role("columnheader", name="Units short").locator(".ag-header-cell-label").click()
    most = max(row["units_short"] for row in served.shop.stockouts)
    expect(page.locator('.ag-row[row-index="0"] [col-id="units_short"]')).to_have_text(f"{most:,.1f}")


def test_filters_narrow_the_table_and_its_files(served: Served, visit: Visit, tmp_path: Path) -> None:
    page = visit(served.url)
    expected = [row for row in served.shop.stockouts if row["store_id"] == "S002" and row["units_short"] >= 20]
    filter_box(page, "Store").fill("s002")
    filter_box(page, "Units short").fill("20")
    shown(page, f"{len(expected)} alerts, filtered")
    assert set(cells(page, "store")) == {"S002"}

    expected.sort(key=lambda row: -row["value_at_risk_cents"])
    wanted = [row["value_at_risk_cents"] / 100 for row in expected]
    with page.expect_download() as arriving:
        page.get_by_role("link", name="Excel").click()
    arriving.value.save_as(tmp_path / "stockouts.xlsx")
    headings, *rows = openpyxl.load_workbook(tmp_path / "stockouts.xlsx").active.iter_rows(values_only=True)
    assert [row[headings.index("Lost sales")] for row in rows] == wanted
    assert [row[headings.index("Out on")].date() for row in rows] == [row["short_on"] for row in expected]

    with page.expect_download() as arriving:
        page.get_by_role("link", name="CSV").click()
    with arriving.value.path().open(encoding="utf-8-sig", newline="") as file:
        assert [float(row["Lost sales"]) for row in csv.DictReader(file)] == wanted

    page.get_by_role("button", name="Clear filters").click()
    shown(page, f"{len(served.shop.stockouts)} alerts")


def test_a_choice_is_filtered_from_the_keyboard(served: Served, visit: Visit) -> None:
    page = visit(served.url)
    critical = [row for row in served.shop.stockouts if row["severity"] == "critical"]
    page.locator('[col-id="severity"] .ag-floating-filter-button-button').click()
    page.locator(".ag-filter .ag-picker-field-wrapper").first.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    shown(page, f"{len(critical)} alerts, filtered")
    assert set(cells(page, "severity")) == {"Critical"}


@pytest.mark.parametrize("path", ["/", "/behaviour"])
def test_ten_inches_are_enough(path: str, served: Served, visit: Visit) -> None:
    page = visit(served.url + path, TEN_INCHES)
    expect(page.locator('.ag-row[row-index="0"] [col-id="severity"]')).not_to_be_empty()
    # Nothing but the table itself scrolls.
    assert page.evaluate("document.documentElement.scrollWidth") <= TEN_INCHES["width"]
    assert page.evaluate("document.documentElement.scrollHeight") <= TEN_INCHES["height"]
    box = page.locator(".ag-root").bounding_box()
    assert box is not None
    assert box["height"] > TEN_INCHES["height"] / 2
