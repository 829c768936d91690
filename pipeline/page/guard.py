"""What every request passes first: the right host, and for a change, a page of our own as its origin.

Without a login the page serves this machine only, and only under this machine's own names: a foreign page whose
name was made to point here (DNS rebinding) is refused by its Host header. A change is a POST; a browser says where it
comes from in Sec-Fetch-Site or Origin, and one from elsewhere, or from nowhere, is refused (cross-site forgery).
"""

from collections.abc import Sequence
from urllib.parse import urlsplit

from flask import Flask, Response, abort, request

MOST_BYTES = 1 << 20  # of a request's body; the largest honest one names a few thousand chosen alerts
LOCAL_HOSTS = ("127.0.0.1", "localhost")
_HARMLESS_METHODS = ("GET", "HEAD", "OPTIONS")
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def guard(server: Flask, public_url: str | None) -> None:
    """Refuse what comes under another name or from another page; add the headers that restrict browsers.

    Args: public_url: the address under which the page is reached, where that is not this machine's own.
    """
    host = urlsplit(public_url).hostname if public_url else None
    server.config["MAX_CONTENT_LENGTH"] = MOST_BYTES
    server.config["TRUSTED_HOSTS"] = [*LOCAL_HOSTS, host] if host else list(LOCAL_HOSTS)

    @server.before_request
    def refuse_strangers() -> None:
        request.host  # noqa: B018 # asking for it checks it against TRUSTED_HOSTS
        if request.method not in _HARMLESS_METHODS and not is_own_page():
            abort(403, "This change does not come from this page.")

    @server.after_request
    def add_headers(response: Response) -> Response:
        response.headers.update(_HEADERS)
        if not request.path.startswith("/assets/") and "_dash-component-suites" not in request.path:
            response.headers["Cache-Control"] = "no-store"
        return response


def allow_scripts(server: Flask, hashes: Sequence[str]) -> None:
    """Tell browsers to run our own script files and the few inline scripts of these hashes, and nothing else.

    Styles may be inline: the components set widths and colours so. Images may be data, as plots are saved.
    """
    policy = {
        "default-src": "'self'",
        "script-src": " ".join(["'self'", *hashes]),
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    text = "; ".join(f"{name} {value}" for name, value in policy.items())

    @server.after_request
    def add_policy(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = text
        return response


def is_own_page() -> bool:
    """Whether the browser says that a page of this very origin sends the request."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("Origin")
    return origin is not None and urlsplit(origin).netloc == request.host
