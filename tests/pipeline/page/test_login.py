"""Who gets in through an OpenID Connect provider, as what, and with which cookie."""

import time
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from joserfc.jwk import RSAKey
from werkzeug.test import TestResponse

from pipeline.commands.page import check_reach
from pipeline.page.app import make_app
from pipeline.page.context import Context
from pipeline.page.login import LOGIN, LOGINS, LoginError, check_login
from pipeline.page.logins import Logins
from pipeline.settings import Settings
from tests.pipeline.page.provider import SECRET, Provider, providing

ADDRESS = "https://larder.example"


@pytest.fixture
def provider(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    with providing() as running:
        monkeypatch.setenv("LARDER_PAGE__ISSUER", running.url)
        monkeypatch.setenv("LARDER_PAGE__HOST", "0.0.0.0")
        monkeypatch.setenv("LARDER_PAGE_CLIENT_SECRET", SECRET)
        monkeypatch.setenv("LARDER_ALERTS__PAGE_URL", ADDRESS)
        yield running


@pytest.fixture
def client(provider: Provider) -> FlaskClient:
    return make_app(Context(Settings())).server.test_client()


def log_in(client: FlaskClient, provider: Provider) -> TestResponse:
    """The whole way: to the provider and back."""
    to_provider = client.get("/login", base_url=ADDRESS)
    assert to_provider.status_code == 302, to_provider.text
    return client.get(provider.consent(to_provider.headers["Location"]), base_url=ADDRESS)


def logged_in(client: FlaskClient) -> dict[str, object] | None:
    with client.session_transaction(base_url=ADDRESS) as session:
        logins: Logins = client.application.extensions[LOGINS]
        return logins.person(session.get(LOGIN))


def test_strangers_are_sent_to_the_provider_and_get_no_data(client: FlaskClient) -> None:
    for path in ("/", "/behaviour", "/export/stockouts.csv"):
        answer = client.get(path, base_url=ADDRESS)
        assert (answer.status_code, answer.headers["Location"]) == (302, "/login")
    assert client.get("/_dash-layout", base_url=ADDRESS).status_code == 401
    changed = client.post("/_dash-update-component", json={}, base_url=ADDRESS, headers={"Origin": ADDRESS})
    assert changed.status_code == 401


def test_an_editor_comes_in_with_a_cookie_that_is_kept_safe(client: FlaskClient, provider: Provider) -> None:
    provider.claims = {"email": "ada@larder.example", "groups": ["larder-editors"]}
    answer = log_in(client, provider)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert logged_in(client) == {"name": "ada@larder.example", "may_edit": True}
    cookie = answer.headers["Set-Cookie"]
    assert all(word in cookie for word in ("Secure", "HttpOnly", "SameSite=Lax"))
    assert client.get("/", base_url=ADDRESS).status_code == 200


@pytest.mark.parametrize("groups", [None, [], "larder-readers", ["others"], {"larder-editors": False}.values()])
def test_whoever_is_in_no_editors_group_only_reads(client: FlaskClient, provider: Provider, groups: object) -> None:
    provider.claims = {"email": "bob@larder.example", "groups": list(groups) if groups is not None else []}
    log_in(client, provider)
    assert logged_in(client) == {"name": "bob@larder.example", "may_edit": False}


def test_only_readers_get_in_where_a_readers_group_is_set(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LARDER_PAGE__READER_ROLE", "larder-readers")
    client = make_app(Context(Settings())).server.test_client()
    provider.claims = {"email": "eve@larder.example", "groups": ["others"]}
    assert log_in(client, provider).status_code == 403
    assert logged_in(client) is None
    provider.claims = {"email": "bob@larder.example", "groups": "larder-readers"}
    assert log_in(client, provider).status_code == 302


@pytest.mark.parametrize("tamper", [{"nonce": "another"}, {"aud": "another"}, {"iss": "https://evil"}, {"exp": 1}])
def test_a_token_that_is_not_for_this_login_is_refused(
    client: FlaskClient, provider: Provider, tamper: dict[str, object]
) -> None:
    provider.claims, provider.tamper = {"groups": ["larder-editors"]}, tamper
    assert log_in(client, provider).status_code == 403
    assert logged_in(client) is None


def test_a_token_signed_by_somebody_else_is_refused(client: FlaskClient, provider: Provider) -> None:
    provider.signed_with = RSAKey.generate_key(2048, {"kid": "one"})
    assert log_in(client, provider).status_code == 403
    assert logged_in(client) is None


def test_a_login_response_without_a_request_is_refused(client: FlaskClient) -> None:
    assert client.get("/login/done?code=x&state=y", base_url=ADDRESS).status_code == 403


def test_a_forged_session_is_no_session(client: FlaskClient) -> None:
    client.set_cookie("larder", "eyJwZXJzb24iOnsibmFtZSI6ImV2ZSJ9fQ.aaaa.bbbb", domain="larder.example")
    assert client.get("/", base_url=ADDRESS).status_code == 302


def test_the_session_key_is_drawn_once_and_private(settings: Settings) -> None:
    first, second = (make_app(Context(settings)).server.config["SECRET_KEY"] for _ in range(2))
    assert first == second
    assert (settings.data_dir / "page.key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("unset", "value", "message"),
    [
        ("LARDER_PAGE_CLIENT_SECRET", None, "needs LARDER_PAGE_CLIENT_SECRET"),
        ("LARDER_ALERTS__PAGE_URL", None, "needs LARDER_ALERTS__PAGE_URL"),
        ("LARDER_ALERTS__PAGE_URL", "http://larder.example", "must begin with https"),
    ],
)
def test_half_a_login_is_refused_at_the_start(
    unset: str, value: str | None, message: str, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_reach(Settings())
    monkeypatch.setenv(unset, value) if value else monkeypatch.delenv(unset)
    with pytest.raises(LoginError, match=message):
        check_login(Settings())


def test_logging_out_ends_every_copy_of_the_cookie(client: FlaskClient, provider: Provider) -> None:
    provider.claims = {"email": "ada@larder.example", "groups": ["larder-editors"]}
    log_in(client, provider)
    thief = client.application.test_client()
    cookie = client.get_cookie("larder", domain="larder.example")
    assert cookie is not None
    thief.set_cookie("larder", cookie.value, domain="larder.example")
    assert thief.get("/", base_url=ADDRESS).status_code == 200
    assert client.post("/logout", base_url=ADDRESS, headers={"Origin": ADDRESS}).status_code == 302
    for one in (thief, client):
        assert one.get("/", base_url=ADDRESS).status_code == 302
        asked = one.post("/_dash-update-component", json={}, base_url=ADDRESS, headers={"Origin": ADDRESS})
        assert asked.status_code == 401


@pytest.mark.parametrize("verified", [False, "false", "no", None, 0])
def test_an_address_that_is_not_verified_signs_nothing(
    client: FlaskClient, provider: Provider, verified: object
) -> None:
    provider.claims = {"email": "boss@larder.example", "email_verified": verified, "groups": ["larder-editors"]}
    log_in(client, provider)
    assert logged_in(client) == {"name": "u1", "may_edit": False}


@pytest.mark.parametrize(
    ("then", "expected"),
    [
        ({"email": "ada@x", "groups": ["larder-editors"]}, {"name": "ada@x", "may_edit": True}),
        ({"email": "ada@x", "groups": ["others"]}, {"name": "ada@x", "may_edit": False}),
        ({"email": "ada@x", "groups": []}, {"name": "ada@x", "may_edit": False}),
        ({"email": "ada@x"}, None),  # says nothing of roles: nothing is confirmed
        ({"email": "eve@x", "groups": ["larder-editors"], "sub": "u2"}, None),
        (None, None),  # the provider has ended the login
    ],
)
def test_what_the_provider_now_says_holds_within_minutes(
    client: FlaskClient, provider: Provider, then: dict[str, object] | None, expected: dict[str, object] | None
) -> None:
    provider.claims = {"email": "ada@x", "groups": ["larder-editors"]}
    log_in(client, provider)
    provider.userinfo = then
    logins: Logins = client.application.extensions[LOGINS]
    assert logged_in(client) == {"name": "ada@x", "may_edit": True}
    now = time.monotonic()
    logins._clock = lambda: now + 60 * Settings().page.confirm_minutes + 1
    assert logged_in(client) == expected


def test_a_login_ends_after_its_hours_however_often_it_is_used() -> None:
    now = [0.0]
    logins = Logins(lambda login: login.person, seconds=100, confirmed_seconds=10, clock=lambda: now[0])
    number = logins.begin({"name": "ada"}, "u1", {})
    seen = []
    for now[0] in map(float, range(0, 120, 5)):
        seen.append(logins.person(number) is not None)
    assert seen == [True] * 20 + [False] * 4
    assert logins.person({"forged": 1}) is None
