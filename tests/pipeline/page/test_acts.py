"""What merchandisers do on the page, in a real browser: look into an alert, try a delivery, decide."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from pipeline.alerts.incident_models import OPEN_STATES, Incident, IncidentEvent
from pipeline.alerts.store import opened
from pipeline.page.acts import act
from pipeline.page.app import make_app
from pipeline.page.context import Context
from pipeline.settings import Settings
from tests.pipeline.page.conftest import MORNING, Served, open_row, serving
from tests.pipeline.page.shop import NIGHT, Shop

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]


def events(settings: Settings, action: str) -> list[Any]:
    """Incident, signer and comment of every such act, in order."""
    query = select(IncidentEvent.incident_id, IncidentEvent.actor, IncidentEvent.comment).filter_by(action=action)
    with opened(settings) as engine, engine.connect() as connection:
        return list(connection.execute(query))


def dearest(settings: Settings) -> Any:
    """The open stock-out that costs most."""
    query = select(Incident.__table__).order_by(Incident.value_at_risk_cents.desc()).filter_by(kind="stockout")
    with opened(settings) as engine, engine.connect() as connection:
        return connection.execute(query.where(Incident.state.in_(OPEN_STATES)).limit(1)).one()


def tick(page: Page, row: int) -> None:
    page.locator(f'.ag-row[row-index="{row}"] .ag-checkbox-input').first.check()


def choose(page: Page, *rows: int) -> None:
    """Tick rows one after the other, as the bar counts them.

    dash-ag-grid sets the grid's selection back to the last one that it has passed on, so that a tick which is quicker
    than the page is taken back, in sight: a person sees the box empty and ticks again.
    """
    for count, row in enumerate(rows, start=1):
        tick(page, row)
        expect(page.locator("#stockouts-chosen")).to_have_text(f"{count} chosen")


def told(page: Page, words: str) -> None:
    expect(page.locator(".mantine-Notification-description").last).to_contain_text(words)


def status(page: Page, row: int) -> Any:
    return page.locator(f'.ag-row[row-index="{row}"] [col-id="status"]')


def test_many_rows_are_acknowledged_and_signed_at_once(served: Served, visit: Visit) -> None:
    page = visit(served.url)
    bar = page.locator("#stockouts-acts")
    expect(bar).to_be_hidden()
    choose(page, 0, 1, 2)
    bar.get_by_placeholder("Comment").fill("called the supplier")
    bar.get_by_role("button", name="Acknowledge").click()
    told(page, "Acknowledged: 3 alerts")
    for row in range(3):
        expect(status(page, row)).to_have_text("Acknowledged")
    done = events(served.shop.settings, "acknowledged")
    assert len({event.incident_id for event in done}) == 3
    assert {event.comment for event in done} == {"called the supplier"}
    assert all(event.actor for event in done)


def test_two_editors_at_once_do_not_overwrite_each_other(served: Served, visit: Visit) -> None:
    first, second = visit(served.url), visit(served.url)
    choose(first, 0)
    choose(second, 0, 1)
    first.locator("#stockouts-acts").get_by_role("button", name="Acknowledge").click()
    told(first, "Acknowledged: 1 alert")
    second.locator("#stockouts-acts").get_by_role("button", name="Verdict").click()
    second.get_by_role("menuitem", name="Wrong").click()
    told(second, "was changed by")
    # All or nothing: the second row, which nobody else had touched, is not closed either.
    assert events(served.shop.settings, "closed") == []
    expect(status(second, 0)).to_have_text("Acknowledged")


def test_an_alert_opens_with_what_it_rests_on(served: Served, visit: Visit) -> None:
    page = visit(served.url)
    detail = page.locator(".mantine-Drawer-content")
    open_row(page.locator('.ag-row[row-index="0"] [col-id="store"]'), detail)
    expect(detail).to_contain_text(dearest(served.shop.settings).reason)
    expect(detail.locator(".js-plotly-plot")).to_be_visible()
    expect(detail.locator("#events")).to_contain_text("Opened")
    assert f"alert={dearest(served.shop.settings).id}" in page.url
    page.keyboard.press("Escape")
    expect(detail).to_be_hidden()
    assert "alert=" not in page.url


def test_what_if_says_which_days_stay_short(served: Served, visit: Visit) -> None:
    page = visit(f"{served.url}/?alert={dearest(served.shop.settings).id}")
    verdict = page.locator("#what-if-verdict")
    expect(verdict).to_contain_text("The alert stays")
    page.get_by_label("Units", exact=True).fill("10000")
    expect(verdict).to_contain_text("The alert goes away")
    expect(page.locator("#what-if-result")).to_contain_text("no day")
    expect(page.locator(".js-plotly-plot")).to_contain_text("What if")


def test_a_snooze_and_a_verdict_in_the_detail_are_history(served: Served, visit: Visit) -> None:
    page = visit(f"{served.url}/?alert={dearest(served.shop.settings).id}")
    detail = page.locator(".mantine-Drawer-content")
    detail.get_by_role("button", name="Snooze").click()
    page.get_by_role("menuitem", name="3 nights").click()
    expect(page.locator("#detail-status")).to_have_text("Snoozed")
    expect(detail).to_contain_text(f"until {NIGHT.replace(day=NIGHT.day + 3)}")
    detail.get_by_role("button", name="Verdict").click()
    page.get_by_role("menuitem", name="Right").click()
    expect(page.locator("#detail-status")).to_have_text("Closed")
    expect(detail.locator("#events")).to_contain_text("Snoozed: until")
    page.keyboard.press("Escape")
    expect(page.locator("#stockouts-tiles")).to_contain_text("1 of 1 judged were right")


def test_a_strange_customer_opens_with_baskets_and_predictions(served: Served, visit: Visit) -> None:
    page = visit(served.url + "/behaviour")
    detail = page.locator(".mantine-Drawer-content")
    open_row(page.locator('.ag-row[row-index="0"] [col-id="store"]'), detail)
    expect(detail.locator("#baskets-figure .js-plotly-plot")).to_be_visible()
    expect(detail).to_contain_text("predicted on 2026-03-02")


def test_readers_see_no_buttons_and_change_nothing(shop: Shop, visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LARDER_PAGE__READ_ONLY", "true")
    with serving(Settings(), MORNING) as url:
        page = visit(url)
        tick(page, 0)
        expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)
    assert events(shop.settings, "acknowledged") == []


def test_a_readers_forged_request_is_refused(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LARDER_PAGE__READ_ONLY", "true")
    context = Context(Settings(), lambda: MORNING)
    with make_app(context).server.test_request_context():
        notice = act(context, "acknowledge", {dearest(shop.settings).id: 1}, None)
    assert "may read the alerts and not change them" in notice["message"]
    assert events(shop.settings, "acknowledged") == []
