"""The part Sales, without a browser: what is rendered of plans, of a case, and where there are none."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page, expect

from pipeline.case_plans import open_plans
from pipeline.lake.lake import Manifest
from pipeline.page.app import PARTS
from pipeline.page.case_detail import show_case
from pipeline.page.context import Context
from pipeline.page.frame import SALES, header
from pipeline.page.morning import Morning, read_morning
from pipeline.page.sales import SalesPage, rows_of
from pipeline.settings import Settings
from pipeline.workspace import Workspace
from tests.factories import BUSINESS_DATE
from tests.pipeline.page.conftest import open_row, serving

LATEST = date(2026, 2, 27)


def plan(case: str, **fields: Any) -> dict[str, Any]:
    """An open case after a call, to be visited and then closed."""
    steps = [{"action": name, "probability": None, "days": 1.5} for name in ("visit", "sign")]
    row: dict[str, Any] = {
        "case_id": case,
        "agent": "ann",
        "last_action": "call",
        "last_acted_on": LATEST,
        "steps": steps,
        "next_action": "visit",
        "next_probability": 0.6,
        "remaining_steps": 2.2,
        "plan_probability": 0.4,
        "remaining_days": 5.0,
        "win_probability": 0.5,
        "best_action": "visit",
        "best_win_probability": 0.55,
        "attention": [0.25, 0.75],
        "attribute_effects": [{"attribute": "segment=<b>", "effect": -0.2}],
        "fallback": None,
        "model_version": "larder-team-sale_actions/1",
        "business_date": BUSINESS_DATE,
    }
    return row | fields


def write(workspace: Workspace, table: str, rows: list[dict[str, Any]], inputs: dict[str, str] | None = None) -> None:
    folder = workspace.lake.stage(table, "run1")
    folder.mkdir()
    pq.write_table(pa.Table.from_pylist(rows), folder / "part.parquet")
    described = Manifest(table=table, version="run1", business_date=BUSINESS_DATE, rows=len(rows), inputs=inputs or {})
    workspace.lake.describe(described)
    workspace.lake.publish(table, "run1")


@pytest.fixture
def team(workspace: Workspace) -> Workspace:
    """Two planned cases and what was done in one of them."""
    done = [
        {
            "case_id": "d1",
            "position": place,
            "acted_at_utc": datetime(2026, 2, 25 + place, 22, 30, tzinfo=UTC),
            "action": name,
            "agent": "ann",
        }
        for place, name in enumerate(("email", "call"), start=1)
    ]
    write(workspace, "actions", done)
    write(
        workspace, "cases", [{"case_id": "d1", "attributes": ["segment=<b>"], "numbers": [{"name": "n", "value": 3.0}]}]
    )
    inputs = {"actions": "run1", "cases": "run1"}
    write(workspace, "action_plans", [plan("d1"), plan("d2", win_probability=0.9, agent="bob")], inputs)
    return workspace


def test_without_plans_the_part_says_how_to_get_some_and_no_link_leads_to_it(settings: Settings) -> None:
    context = Context(settings)
    morning = read_morning(context, "shop")
    assert "larder run sale_actions --source shop" in str(SalesPage().layout(context, morning))
    assert "Sales" not in str(header("/", morning, ["shop"]))
    assert "Sales" in str(header("/", morning, ["shop"], optional=frozenset({SALES})))
    assert SALES in PARTS


def test_the_likeliest_to_be_won_come_first_each_with_its_plan(settings: Settings, team: Workspace) -> None:
    rows = rows_of(open_plans(team.lake))
    assert [row["id"] for row in rows] == ["d2", "d1"]
    assert (rows[1]["next_action"], rows[1]["then"], rows[1]["last_acted_on"]) == ("visit", "sign", "2026-02-27")
    shown = str(SalesPage().layout(Context(settings), Morning("shop", None, None, BUSINESS_DATE, None)))
    assert "of 2 agents, as of 2026-03-01" in shown


@pytest.mark.usefixtures("team")
def test_a_case_shows_its_history_beside_its_plan_in_the_teams_own_time(settings: Settings) -> None:
    title, content = show_case(Context(settings), "shop", "d1")
    assert "segment=<b>" in str(title)
    assert "n=3" in str(title)
    shown = str(content)
    assert "2026-02-26" in shown, "half past ten in the evening is still that day in Berlin"
    assert "75%" in shown
    assert "-20.0 points" in shown
    assert "after 1.5 days" in shown
    assert "not an effect of the action" in shown


@pytest.mark.usefixtures("team")
def test_a_case_that_is_not_open_says_so(settings: Settings) -> None:
    title, content = show_case(Context(settings), "shop", "d9")
    assert title == "No such case"
    assert "no open case 'd9'" in str(content)


@pytest.mark.browser
@pytest.mark.usefixtures("team")
def test_a_row_opens_its_case_and_closing_it_leads_back(settings: Settings, visit: Callable[..., Page]) -> None:
    with serving(settings) as url:
        page = visit(url + "/sales")
        open_row(page.locator('.ag-row[row-id="d1"] [col-id="next_action"]'), page.locator("#case-plan"))
        expect(page.locator("#case-plan")).to_contain_text("after 1.5 days")
        assert page.url.endswith("?case=d1")
        page.keyboard.press("Escape")
        expect(page.locator("#case-plan")).not_to_be_visible()
