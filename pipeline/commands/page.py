"""`larder page`: serve the page until Ctrl-C."""

from typing import Annotated

import typer

from pipeline.page.guard import LOCAL_HOSTS
from pipeline.page.login import LoginError, check_login
from pipeline.settings import Settings
from pipeline.terminal import errors_in_one_line


class PageError(Exception):
    """The page cannot be served with these settings; the message says what to change."""


def page(
    port: Annotated[int | None, typer.Option(help="port; default: LARDER_PAGE__PORT")] = None,
) -> None:
    """Serve the alerts' page, on this machine only unless a login is configured."""
    from pipeline.page.app import make_app
    from pipeline.page.context import Context
    from pipeline.page.server import Server

    settings = Settings()
    with errors_in_one_line(PageError, LoginError):
        check_reach(settings)
    typer.echo(f"Page     http://{settings.page.host}:{port or settings.page.port}")
    Server(make_app(Context(settings)).server, settings.page.host, port or settings.page.port).run()


def check_reach(settings: Settings) -> None:
    """Refuse to be reachable from elsewhere without a login, and a login that is not whole."""
    check_login(settings)
    if not settings.page.issuer and settings.page.host not in LOCAL_HOSTS:
        raise PageError(
            f"LARDER_PAGE__HOST={settings.page.host} can be reached from elsewhere, which needs a login: "
            "configure OpenID Connect (LARDER_PAGE__ISSUER), or leave it at 127.0.0.1"
        )
