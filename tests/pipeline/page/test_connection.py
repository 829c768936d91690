"""The database or the server is gone while the page is open: it says so until it works again, and loses nothing."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import text

from pipeline.alerts.store import opened
from tests.pipeline.page.conftest import Served
from tests.pipeline.page.test_acts import choose, events

pytestmark = pytest.mark.browser
FIRST_STORE = '.ag-row[row-index="0"] [col-id="store"]'


def rename(served: Served, before: str, after: str) -> None:
    with opened(served.shop.settings) as engine, engine.connect() as connection, connection.begin():
        connection.execute(text(f"ALTER TABLE {before} RENAME TO {after}"))


def retry(page: Page) -> None:
    """Click the bar's button, unless the page's own attempt of every half minute has just removed it."""
    page.evaluate("document.querySelector('#unreachable button')?.click()")


def test_a_database_that_fails_is_said_until_retry_succeeds(served: Served, visit: Callable[..., Page]) -> None:
    page = visit(served.url)
    expect(page.locator(FIRST_STORE)).not_to_be_empty()
    count = page.locator("#stockouts-count").inner_text()
    rename(served, "incidents", "away")
    page.locator(f"{FIRST_STORE}").hover()
    page.get_by_text("All", exact=True).click()
    bar = page.locator("#unreachable")
    expect(bar).to_contain_text(re.compile(r"cannot be read since \d\d:\d\d: the alert store .* failed: no such table"))
    overlay = "getComputedStyle(document.querySelector('.grid'), '::after').content"
    assert "cannot be read" in page.evaluate(overlay)
    expect(page.locator("#stockouts-count")).to_be_hidden()
    bar.get_by_role("button", name="Retry").click()
    expect(bar).to_be_visible()
    rename(served, "away", "incidents")
    retry(page)
    expect(bar).to_have_count(0)
    page.get_by_text("Open", exact=True).click()
    expect(page.locator(FIRST_STORE)).not_to_be_empty()
    expect(page.locator("#stockouts-count")).to_have_text(count)


def test_an_act_that_does_not_arrive_says_so_and_is_not_sent_again(served: Served, visit: Callable[..., Page]) -> None:
    page = visit(served.url)
    choose(page, 0)
    page.route(re.compile("_dash-update-component"), lambda route: route.abort())
    page.locator("#stockouts-acts").get_by_role("button", name="Acknowledge").click()
    expect(page.locator("#unreachable")).to_contain_text("the server does not answer")
    expect(page.get_by_text("This may not have been carried out")).to_be_visible()
    page.unroute_all()
    page.get_by_text("All", exact=True).click()
    expect(page.locator("#unreachable")).to_have_count(0)
    expect(page.locator(FIRST_STORE)).not_to_be_empty()
    assert events(served.shop.settings, "acknowledged") == []
