"""The part "Customers" without a browser: rows, filters, files, one customer's story, and nothing of who was erased."""

import csv
import io
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from dash import Dash
from playwright.sync_api import Page, expect

from pipeline.customer_story import read_story
from pipeline.erasure.erase import erase
from pipeline.page.app import make_app
from pipeline.page.context import Context
from pipeline.page.customers import CustomersPage, customers_answer, story
from pipeline.page.morning import Morning
from pipeline.page.quality import QualityPage
from pipeline.page.rows import RequestError
from pipeline.settings import Settings
from pipeline.sources.source import load_source
from pipeline.workspace import Workspace
from tests.factories import BUSINESS_DATE, customer_day, customer_value, next_offer, prediction
from tests.pipeline.page.conftest import MORNING, open_row, serving
from tests.pipeline.page.test_parts import judge
from tests.published_tables import publish_rows

LATE = date(2026, 3, 20)


@pytest.fixture
def context(settings: Settings, workspace: Workspace) -> Context:
    """Three customers: c2 is the most valuable one, c1 has an offer and a predicted basket, c3 is nearly lost."""
    publish_rows(
        workspace,
        "customer_values",
        customer_value(customer_id="c1"),
        customer_value(customer_id="c2", segment="loyal", lifetime_value_cents=70_000.0, next_sold_on=LATE),
        customer_value(customer_id="c3", segment="hibernating", lifetime_value_cents=100.0, still_customer=0.05),
    )
    publish_rows(workspace, "customer_days", *[customer_day(customer_id=each) for each in ("c1", "c2", "c3")])
    publish_rows(workspace, "next_offers", next_offer(customer_id="c1", offer="tea"))
    publish_rows(workspace, "predictions", prediction(funnel_id="c1", next_sold_on=BUSINESS_DATE))
    return Context(settings, lambda: MORNING)


def rows_of(context: Context, **request: Any) -> list[dict[str, Any]]:
    response, *_ = customers_answer(context, request, "shop")
    found: list[dict[str, Any]] = response["rowData"]
    return found


def test_the_most_valuable_customer_stands_first_beside_offer_and_predicted_visit(context: Context) -> None:
    found = rows_of(context)
    assert [row["customer"] for row in found] == ["c2", "c1", "c3"]
    assert found[0]["value"] == 700.0
    by_id = {row["id"]: row for row in found}
    assert (by_id["c1"]["offer"], by_id["c2"]["offer"]) == ("tea", None)
    assert by_id["c1"]["next_visit"] == BUSINESS_DATE.isoformat(), "the nightly model's day"
    assert by_id["c2"]["next_visit"] == LATE.isoformat(), "without one, the closed form's"
    assert by_id["c3"]["lost"] == pytest.approx(0.95)
    assert by_id["c1"]["returns"] is None, "returns are switched off"


def test_filters_narrow_rows_and_the_file(context: Context) -> None:
    wanted = {"lost": {"filterType": "number", "type": "greaterThanOrEqual", "filter": 50}}
    response, words, as_csv, as_xlsx = customers_answer(context, {"filterModel": wanted}, "shop")
    assert [row["customer"] for row in response["rowData"]] == ["c3"]
    assert words == "1 customer, filtered"
    client = make_app(context).server.test_client()
    content = client.get(as_csv)
    assert content.status_code == 200, content.text
    (row,) = csv.DictReader(io.StringIO(content.data.decode("utf-8-sig")))
    assert (row["Customer"], row["Lifetime value"]) == ("c3", "1.00")
    assert client.get(as_xlsx).data[:2] == b"PK"


def test_what_is_no_request_is_refused(context: Context) -> None:
    with pytest.raises(RequestError):
        customers_answer(context, {"startRow": "x"}, "shop")
    with pytest.raises(RequestError):
        customers_answer(context, {"filterModel": {"password": {}}}, "shop")


def test_a_row_opens_the_whole_story(context: Context, workspace: Workspace) -> None:
    title, content = story(context, "shop", "c1")
    shown = str(title) + str(content)
    for words in ("c1", "Champions", "tea", "30.00 (30.00 to 30.00 in 8 of 10 cases)", "chance to be lost"):
        assert words in shown
    assert story(context, "shop", "nobody")[0] == "No such customer"
    found = read_story(workspace.lake, "c1")
    assert found is not None
    assert found.expected_returns is None


def test_who_is_erased_is_gone_with_the_next_request(context: Context, settings: Settings) -> None:
    assert len(rows_of(context)) == 3
    erase(settings, load_source("shop"), "c2", None)
    assert [row["customer"] for row in rows_of(context)] == ["c1", "c3"]
    assert story(context, "shop", "c2")[0] == "No such customer"


def test_the_part_shows_figures_or_how_to_get_them(context: Context, settings: Settings) -> None:
    morning = Morning("shop", BUSINESS_DATE, "run1", BUSINESS_DATE, None)
    shown = str(CustomersPage().layout(context, morning))
    assert "791.00" in shown, "the sum of lifetime values"
    assert "larder run customer_value" in str(
        CustomersPage().layout(context, Morning("other", None, None, BUSINESS_DATE, None))
    )
    assert isinstance(make_app(context), Dash)


def test_quality_shows_each_task_with_champion_and_scorecard(context: Context, workspace: Workspace) -> None:
    judge(workspace, "a", BUSINESS_DATE, 0.3, 0.2)
    judge(workspace, "a", BUSINESS_DATE, 0.3, None, task="customer_values", metric="spend_gini")
    shown = str(QualityPage().layout(context, Morning("shop", BUSINESS_DATE, "run1", BUSINESS_DATE, None)))
    assert "Customer values" in shown
    assert "spend_gini" in shown
    assert "Champion larder-shop/a" in shown


@pytest.mark.browser
def test_a_click_on_a_row_opens_the_story(context: Context, visit: Callable[..., Page]) -> None:
    with serving(context.settings) as url:
        page = visit(f"{url}/customers")
        open_row(page.locator('.ag-row[row-index="1"] [col-id="segment"]'), page.locator(".subject"))
        expect(page.locator(".subject")).to_have_text("c1")
        expect(page.locator("#customer-value-figure .main-svg").first).to_be_visible()
