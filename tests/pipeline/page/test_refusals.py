"""What no page of ours sends is refused with one line, and nothing is done; what a page sends is bounded."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as bounded
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from pipeline.alerts.incident_models import Incident, IncidentEvent
from pipeline.alerts.store import opened
from pipeline.page.app import make_app
from pipeline.page.context import Context
from pipeline.page.guard import MOST_BYTES
from pipeline.page.rows import LARGEST, MOST_CONDITIONS
from pipeline.settings import Settings
from tests.pipeline.page.shop import Shop

HEADERS = {"Host": "127.0.0.1:8050", "Origin": "http://127.0.0.1:8050"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture
def client(shop: Shop) -> FlaskClient:
    client = make_app(Context(shop.settings)).server.test_client()
    client.get("/_dash-dependencies", headers=HEADERS)
    return client


def send(client: FlaskClient, body: Any) -> TestResponse:
    return client.post("/_dash-update-component", json=body, headers=HEADERS)


def refused(response: TestResponse, code: int = 400) -> bool:
    return response.status_code == code and response.text.count("\n") == 1 and "Traceback" not in response.text


def grid(request: Any, scope: Any = "open", source: Any = "shop") -> dict[str, Any]:
    """The grid's request for rows, as a browser sends it."""
    names = ("stockouts-grid.getRowsResponse", "stockouts-count.children", "stockouts-csv.href", "stockouts-xlsx.href")
    pairs = [dict(zip(("id", "property"), name.split("."), strict=True)) for name in names]
    return {
        "output": f"..{'...'.join(names)}..",
        "outputs": pairs,
        "inputs": [{"id": "stockouts-grid", "property": "getRowsRequest", "value": request}],
        "state": [
            {"id": "source", "property": "data", "value": source},
            {"id": "stockouts-scope", "property": "value", "value": scope},
        ],
        "changedPropIds": ["stockouts-grid.getRowsRequest"],
    }


def act(do: Any, chosen: Any, words: Any = "seen") -> dict[str, Any]:
    """A click on a button of the bar above the table."""
    place = {"type": "act", "place": "stockouts", "do": do}
    named = json.dumps(place, sort_keys=True, separators=(",", ":"))
    output = '..notices.sendNotifications...changed.data...{"place":["ALL"],"type":"words"}.value..'
    return {
        "output": output,
        "outputs": [
            {"id": "notices", "property": "sendNotifications"},
            {"id": "changed", "property": "data"},
            [{"id": {"place": "stockouts", "type": "words"}, "property": "value"}],
        ],
        "inputs": [[{"id": place, "property": "n_clicks", "value": 1}]],
        "state": [
            [{"id": {"place": "stockouts", "type": "chosen"}, "property": "data", "value": chosen}],
            [{"id": {"place": "stockouts", "type": "words"}, "property": "value", "value": words}],
            {"id": "changed", "property": "data", "value": 0},
        ],
        "changedPropIds": [f"{named}.n_clicks"],
    }


def written(settings: Settings) -> list[int]:
    with opened(settings) as engine, Session(engine) as session:
        return list(session.scalars(select(IncidentEvent.number).order_by("number")))


def first_incident(settings: Settings) -> tuple[str, int]:
    with opened(settings) as engine, Session(engine) as session:
        found = session.scalars(select(Incident).filter_by(kind="stockout").limit(1)).one()
        return found.id, found.version


def test_what_the_page_sends_is_served(client: FlaskClient, shop: Shop) -> None:
    assert send(client, grid({"startRow": 0, "endRow": 50})).status_code == 200
    before = written(shop.settings)
    one, version = first_incident(shop.settings)
    assert send(client, act("comment", [[one, version]])).status_code == 200
    assert len(written(shop.settings)) == len(before) + 1


@pytest.mark.parametrize("do", ["comment-x", "snooze-0", "snooze-9999999", "close-", "drop", "", None, 1, ["comment"]])
def test_an_act_that_no_button_names_writes_nothing(client: FlaskClient, shop: Shop, do: object) -> None:
    before = written(shop.settings)
    assert refused(send(client, act(do, [list(first_incident(shop.settings))])))
    assert written(shop.settings) == before


@pytest.mark.parametrize("chosen", [None, "all", {"a": 1}, ["a"], [["a"]], [["a", "b"]], [[1, 1]], [["a", True]]])
def test_rows_that_are_none_are_not_chosen(client: FlaskClient, chosen: object) -> None:
    assert refused(send(client, act("comment", chosen)))


@pytest.mark.parametrize(
    "request_",
    [
        {"filterModel": 1},
        {"startRow": -1},
        {"startRow": 1e400},
        {"startRow": "0"},
        {"endRow": 10**30},
        {"filterModel": [1]},
        {"sortModel": {"colId": "store"}},
        {"sortModel": [1]},
        {"sortModel": [{"colId": "store"}] * 50},
        {"filterModel": {"store": {"operator": "OR", "conditions": [{"type": "contains", "filter": "a"}] * 100_000}}},
        {"filterModel": {"store": {"operator": "OR", "conditions": [{"operator": "OR", "conditions": []}]}}},
        {"filterModel": {"store": {"type": "contains", "filter": "a" * 100_000}}},
        {"filterModel": {"store": {"type": "contains", "filter": "a\0"}}},
        {"filterModel": {"store": {"type": "contains", "filter": ["a"]}}},
        {"filterModel": {"lost_sales": {"type": "equals", "filter": 10**400}}},
        {"filterModel": {"lost_sales": {"type": "equals", "filter": LARGEST * 10}}},
        {"filterModel": {"x" * 100_000: {}}},
    ],
)
def test_a_filter_is_bounded_and_of_a_known_form(client: FlaskClient, request_: Any) -> None:
    body = grid(request_)
    assert refused(send(client, body), 413 if len(json.dumps(body)) > MOST_BYTES else 400)


def test_as_many_conditions_as_the_grid_offers_are_answered(client: FlaskClient) -> None:
    conditions = [{"type": "contains", "filter": "a"}] * MOST_CONDITIONS
    body = grid({"filterModel": {"store": {"operator": "OR", "conditions": conditions}}})
    assert send(client, body).status_code == 200


@pytest.mark.parametrize("source", ["../../etc", "/etc", "", None, 7, ["shop"], "a\0b", "x" * 300])
def test_a_source_that_a_browser_makes_up_opens_no_folder(client: FlaskClient, source: object) -> None:
    show = {
        "output": "..stockouts-tiles.children..",
        "outputs": {"id": "stockouts-tiles", "property": "children"},
        "inputs": [
            {"id": "stockouts-tiles", "property": "id", "value": "x"},
            {"id": "changed", "property": "data", "value": 0},
        ],
        "state": [{"id": "source", "property": "data", "value": source}],
        "changedPropIds": ["changed.data"],
    }
    for body in (show, show | {"output": "stockouts-tiles.children"}):
        assert send(client, body).status_code in (200, 400)
        assert "Traceback" not in send(client, body).text


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.update(output="nothing.here"),
        lambda body: body.update(output=["a"]),
        lambda body: body.pop("output"),
        lambda body: body.pop("changedPropIds"),
        lambda body: body.update(changedPropIds=[{}]),
        lambda body: body.update(inputs={}),
        lambda body: body.update(inputs=body["inputs"] * 9),
        lambda body: body["inputs"][0].update(id="other"),
        lambda body: body["inputs"][0].update(property="n_clicks"),
        lambda body: body["state"].pop(),
        lambda body: body.update(state=[[], []]),
    ],
)
def test_a_request_of_no_callback_is_malformed(client: FlaskClient, change: Callable[[dict[str, Any]], Any]) -> None:
    body = copy.deepcopy(grid({"startRow": 0, "endRow": 5}))
    change(body)
    assert refused(send(client, body))


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b"null", b"[]", b'"a"', b"[" * 100_000])
def test_a_body_that_is_no_object_is_malformed(client: FlaskClient, data: bytes) -> None:
    sent = client.post("/_dash-update-component", data=data, headers=HEADERS, content_type="application/json")
    assert refused(sent)


def test_a_body_of_any_length_is_bounded(client: FlaskClient) -> None:
    sent = client.post("/_dash-update-component", data=b" " * (MOST_BYTES + 1), headers=HEADERS)
    assert refused(sent, 413)


@bounded(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=JSON, at=st.sampled_from(["inputs", "state", "changedPropIds", "outputs", "output", "value"]))
def test_whatever_is_sent_no_trace_comes_back_and_nothing_is_written(
    client: FlaskClient, shop: Shop, value: Any, at: str
) -> None:
    before = written(shop.settings)
    body = act("comment", [list(first_incident(shop.settings))])
    if at == "value":
        body["state"][0][0]["value"] = value
    else:
        body[at] = value
    response = send(client, body)
    assert response.status_code in (200, 204, 400), (at, value)
    assert "Traceback" not in response.text
    if response.status_code == 400:
        assert written(shop.settings) == before


def test_scripts_run_from_our_files_alone(client: FlaskClient) -> None:
    response = client.get("/", headers=HEADERS)
    policy = dict(part.strip().split(" ", 1) for part in response.headers["Content-Security-Policy"].split(";"))
    assert "unsafe" not in policy["script-src"]
    assert "'self'" in policy["script-src"].split()
    assert policy["frame-ancestors"] == policy["object-src"] == policy["base-uri"] == "'none'"
