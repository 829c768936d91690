"""Who is answered: this machine's own names only, and changes from the page itself only."""

import pytest
from flask.testing import FlaskClient

from pipeline.commands.page import PageError, check_reach
from pipeline.page.app import make_app
from pipeline.page.context import Context
from pipeline.settings import PageSettings, Settings


@pytest.fixture
def client(settings: Settings) -> FlaskClient:
    return make_app(Context(settings)).server.test_client()


@pytest.mark.parametrize("host", ["127.0.0.1:8050", "localhost:8050"])
def test_requests_from_this_machine_are_served(client: FlaskClient, host: str) -> None:
    assert client.get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8050", "192.168.1.7:8050"])
def test_another_name_for_this_machine_is_refused(client: FlaskClient, host: str) -> None:
    for path in ("/", "/export/stockouts.csv", "/_dash-layout"):
        assert client.get(path, headers={"Host": host}).status_code == 400


def change(client: FlaskClient, **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    sent = client.post("/_dash-update-component", json={}, headers={"Host": "127.0.0.1:8050"} | named)
    return sent.status_code


def test_a_change_from_another_page_is_refused(client: FlaskClient) -> None:
    assert change(client) == 403
    assert change(client, Origin="http://evil.example") == 403
    assert change(client, Origin="http://127.0.0.1:9999") == 403
    assert change(client, Origin="null") == 403
    for site in ("cross-site", "same-site", "none"):
        assert change(client, Sec_Fetch_Site=site, Origin="http://127.0.0.1:8050") == 403


def test_a_change_from_the_page_itself_passes_the_guard(client: FlaskClient) -> None:
    assert change(client, Sec_Fetch_Site="same-origin") != 403
    assert change(client, Origin="http://127.0.0.1:8050") != 403


def test_without_a_login_nobody_else_can_reach_it(settings: Settings) -> None:
    for host in ("127.0.0.1", "localhost"):
        check_reach(settings.model_copy(update={"page": PageSettings(host=host)}))
    for host in ("0.0.0.0", "::", "192.168.1.7", "shop.example"):
        with pytest.raises(PageError, match="needs a login"):
            check_reach(settings.model_copy(update={"page": PageSettings(host=host)}))
