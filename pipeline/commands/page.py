"""`larder page`: serve the page until Ctrl-C."""

from typing import Annotated, Any

import typer

from pipeline.page.guard import LOCAL_HOSTS
from pipeline.page.login import LoginError, check_login
from pipeline.settings import Settings
from pipeline.terminal import errors_in_one_line

THREADS = 8


class PageError(Exception):
    """The page cannot be served with these settings; the message says what to change."""


def page(
    port: Annotated[int | None, typer.Option(help="port; default: LARDER_PAGE__PORT")] = None,
) -> None:
    """Serve the alerts' page, on this machine only unless a login is configured."""
    from pipeline.page.context import Context

    settings = Settings()
    with errors_in_one_line(PageError, LoginError):
        check_reach(settings)
    typer.echo(f"Page     http://{settings.page.host}:{port or settings.page.port}")
    serve(Context(settings), port or settings.page.port)


def check_reach(settings: Settings) -> None:
    """Refuse to be reachable from elsewhere without a login, and a login that is not whole."""
    check_login(settings)
    if not settings.page.issuer and settings.page.host not in LOCAL_HOSTS:
        raise PageError(
            f"LARDER_PAGE__HOST={settings.page.host} can be reached from elsewhere, which needs a login: "
            "configure OpenID Connect (LARDER_PAGE__ISSUER), or leave it at 127.0.0.1"
        )


def serve(context: Any, port: int) -> None:
    """Run the application in one process with several threads; the database is its only state."""
    from gunicorn.app.base import BaseApplication

    class Server(BaseApplication):
        def load_config(self) -> None:
            options = {
                "bind": f"{context.settings.page.host}:{port}",
                "workers": 1,
                "threads": THREADS,
                "worker_class": "gthread",
                "proc_name": "larder-page",
                "timeout": 120,
                "control_socket_disable": True,
            }
            for name, value in options.items():
                self.cfg.set(name, value)

        def load(self) -> Any:
            from pipeline.page.app import make_app

            return make_app(context).server

    Server().run()
