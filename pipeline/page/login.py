"""Logging in by OpenID Connect, where a provider is configured; the protocol is Authlib's, with PKCE and nonce.

Who a person is and what they may do is decided from the provider's claims, at login and again every few minutes. The
signed session cookie holds the number of the login (`pipeline.page.logins`): scripts cannot read it, other sites'
requests do not carry it, and it is sent over https only.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from authlib.integrations.base_client import OAuthError
from authlib.integrations.flask_client import OAuth
from flask import Flask, abort, g, redirect, request, session, url_for
from joserfc.errors import JoseError
from requests import RequestException

from pipeline.nightly.environment import random_key
from pipeline.page.logins import Login, Logins
from pipeline.page.people import PERSON
from pipeline.settings import PageSettings, Settings

OPEN_PATHS = ("/login", "/login/done", "/logged-out")
LOGIN = "login"  # the login's number in the session
LOGINS = "larder-logins"


class LoginError(Exception):
    """The login is configured incompletely; the message says what is missing."""


def check_login(settings: Settings) -> None:
    """Raises: LoginError: a provider without what it takes to use it, or an address that sends cookies in clear."""
    if not settings.page.issuer:
        return
    address = settings.alerts.page_url
    if not address:
        raise LoginError(
            "LARDER_PAGE__ISSUER needs LARDER_ALERTS__PAGE_URL, the address under which people open the page"
        )
    if settings.page_client_secret is None:
        raise LoginError("LARDER_PAGE__ISSUER needs LARDER_PAGE_CLIENT_SECRET, this page's secret at the provider")
    if urlsplit(address).scheme != "https" and urlsplit(address).hostname not in ("127.0.0.1", "localhost"):
        raise LoginError(
            f"LARDER_ALERTS__PAGE_URL={address} must begin with https://: a login's cookie is not sent in clear"
        )


def require_login(server: Flask, settings: Settings) -> None:
    """Send everyone without a session to the provider; nothing where none is configured."""
    _sign_sessions(server, settings)
    if not settings.page.issuer:
        return
    check_login(settings)
    provider = _provider(server, settings)
    logins = Logins(
        lambda login: _confirmed(provider, login, settings.page),
        3600 * settings.page.session_hours,
        60 * settings.page.confirm_minutes,
    )
    server.extensions[LOGINS] = logins

    @server.before_request
    def only_known_people() -> Any:
        if request.path in OPEN_PATHS:
            return None
        known = logins.person(session.get(LOGIN))
        if known is not None:
            setattr(g, PERSON, known)
            return None
        if request.method != "GET" or request.path.startswith("/_dash"):
            abort(401, "Your login has ended: load the page again.")
        return redirect(url_for("login"))

    @server.get("/login")
    def login() -> Any:
        try:
            return provider.authorize_redirect(f"{settings.alerts.page_url}/login/done")
        except (OAuthError, RequestException) as error:
            abort(502, f"The login provider does not answer: {type(error).__name__}.")

    @server.get("/login/done")
    def login_done() -> Any:
        try:
            token = provider.authorize_access_token()
            claims = token["userinfo"]
        except (OAuthError, JoseError, RequestException, KeyError) as error:
            abort(403, f"The login was not accepted: {error}. Load the page again to retry.")
        known = person_of(claims, settings.page)
        if known is None:
            abort(403, "You are logged in, but may not read these alerts; ask whoever runs Larder for access.")
        logins.end(session.get(LOGIN))
        session.clear()
        session.permanent = True
        session[LOGIN] = logins.begin(known, str(claims.get("sub")), dict(token))
        return redirect("/")

    @server.post("/logout")
    def logout() -> Any:
        logins.end(session.get(LOGIN))
        session.clear()
        return redirect("/logged-out")

    @server.get("/logged-out")
    def logged_out() -> str:
        return "You are logged out."


def person_of(claims: Any, settings: PageSettings) -> dict[str, Any] | None:
    """Name and right to edit, from the provider's claims; None for somebody who may not even read.

    An address that the provider has not verified may be somebody else's: it signs nothing, and its holder only reads.
    """
    is_verified = str(claims.get("email_verified", True)).lower() == "true"
    named = claims.get(settings.name_claim) if is_verified or settings.name_claim != "email" else None
    name = str(named or claims.get("sub") or "").strip()
    given = claims.get(settings.roles_claim) or ()
    roles = {given} if isinstance(given, str) else {str(role) for role in given if isinstance(given, Iterable)}
    is_editor = settings.editor_role in roles
    if not name or (settings.reader_role is not None and not is_editor and settings.reader_role not in roles):
        return None
    return {"name": name, "may_edit": is_editor and is_verified}


def _confirmed(provider: Any, login: Login, settings: PageSettings) -> dict[str, Any] | None:
    """The person as the provider's userinfo now has them.

    None where it does not answer, has no userinfo, speaks of somebody else or does not list roles: then the login ends,
    and the provider is asked for a new one, which it gives at once to whoever is still logged in there.
    """
    try:
        if not provider.load_server_metadata().get("userinfo_endpoint"):
            return None
        claims = provider.userinfo(token=login.token)
    except (OAuthError, JoseError, RequestException, KeyError, ValueError, TypeError):
        return None
    if str(claims.get("sub")) != login.subject or settings.roles_claim not in claims:
        return None
    return person_of(claims, settings)


def _sign_sessions(server: Flask, settings: Settings) -> None:
    address = settings.alerts.page_url or ""
    key = settings.page_session_key
    server.config |= {
        "SECRET_KEY": key.get_secret_value() if key else random_key(settings.data_dir / "page.key"),
        "SESSION_COOKIE_NAME": "larder",
        "SESSION_COOKIE_HTTPONLY": True,
        # Lax, not Strict: the provider's redirect back must find what the login began with.
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": address.startswith("https://"),
        "PERMANENT_SESSION_LIFETIME": timedelta(hours=settings.page.session_hours),
    }


def _provider(server: Flask, settings: Settings) -> Any:
    secret = settings.page_client_secret
    return OAuth(server).register(
        "provider",
        client_id=settings.page.client_id,
        client_secret=secret.get_secret_value() if secret else None,
        server_metadata_url=f"{str(settings.page.issuer).rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={"scope": "openid profile email", "code_challenge_method": "S256", "timeout": 10},
    )
