"""Twenty requests to the page that no page of ours sends, each refused with one line; nothing is written."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pipeline.page.app import make_app
from pipeline.page.context import Context
from pipeline.page.guard import MOST_BYTES
from pipeline.settings import Settings
from tests.pipeline.page.shop import Shop, open_shop
from tests.pipeline.page.test_refusals import HEADERS, act, grid, send, written

Ask = Callable[[FlaskClient], TestResponse]


def _rows(request: Any, **changes: Any) -> Ask:
    return lambda client: send(client, grid(request) | changes)


def _act(do: Any, chosen: Any) -> Ask:
    return lambda client: send(client, act(do, chosen))


def _raw(data: bytes, headers: dict[str, str] | None = None) -> Ask:
    kind = "application/json"
    return lambda client: client.post(
        "/_dash-update-component", data=data, headers=HEADERS | (headers or {}), content_type=kind
    )


def _filter(column: str, **condition: Any) -> Ask:
    return _rows({"filterModel": {column: condition}})


# What is sent, and the status with which it is refused.
CASES: dict[str, tuple[Ask, int]] = {
    "no body": (_raw(b""), 400),
    "half a body": (_raw(b'{"output": '), 400),
    "a body of noise": (_raw(bytes(range(256))), 400),
    "a body that is a list": (_raw(b"[]"), 400),
    "nested without end": (_raw(b"[" * 100_000), 400),
    "too large": (_raw(b" " * (MOST_BYTES + 1)), 413),
    "from another page": (_raw(b"{}", {"Origin": "http://evil.example"}), 403),
    "under another name": (_raw(b"{}", {"Host": "evil.example"}), 400),
    "an output of nobody": (_rows({}, output="nothing.here"), 400),
    "inputs of nobody": (_rows({}, inputs=[{"id": "x", "property": "y", "value": 1}]), 400),
    "no state": (_rows({}, state=[]), 400),
    "a row before the first": (_rows({"startRow": -1}), 400),
    "a row that is no number": (_rows({"startRow": "0; DROP TABLE incidents"}), 400),
    "an order by SQL": (_rows({"sortModel": [{"colId": "id; DROP TABLE incidents", "sort": "asc"}]}), 400),
    "a filter on a column of nobody": (_filter("password", type="contains", filter="a"), 400),
    "a filter with NUL": (_filter("store", type="contains", filter="a\0"), 400),
    "a filter beyond all numbers": (_filter("lost_sales", type="equals", filter=10**400), 400),
    "more conditions than there are": (
        _filter("store", operator="OR", conditions=[{"type": "contains", "filter": "a"}] * 5000),
        400,
    ),
    "an act of no button": (_act("drop", [["i", 1]]), 400),
    "an act on rows of nobody": (_act("comment", [[1, {}]]), 400),
}


def opened(folder: Path) -> tuple[FlaskClient, Shop]:
    """The page of a small published shop, and the shop."""
    shop = open_shop(Settings(data_dir=folder))
    client = make_app(Context(shop.settings)).server.test_client()
    client.get("/_dash-dependencies", headers=HEADERS)
    return client, shop


def refused(case: str, client: FlaskClient, shop: Shop) -> str:
    """The line with which a request is refused.

    Raises: AssertionError: it was not, or with another status, or something was written.
    """
    ask, status = CASES[case]
    before = written(shop.settings)
    response = ask(client)
    assert response.status_code == status, f"{case}: {response.status_code} {response.text[:300]}"
    assert "Traceback" not in response.text, f"{case}: {response.text[:300]}"
    assert len(response.text.splitlines()) == 1, f"{case}: {response.text[:300]}"
    assert written(shop.settings) == before, f"{case}: something was written"
    return response.text.strip()
