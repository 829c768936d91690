"""Serving the page: one process, several threads, and no request that holds a thread for long.

A thread reads a request's head and body before the application sees it, in at most `SECONDS_TO_SEND`, however slowly
its sender drips; then the connection is cut. A response nobody takes is given up after `SECONDS_TO_TAKE` of silence.
"""

import io
import threading
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from socket import SHUT_RDWR, socket
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from gunicorn.app.base import BaseApplication
from gunicorn.workers.gthread import ThreadWorker

from pipeline.page.guard import MOST_BYTES

THREADS = 16
SECONDS_TO_SEND = 15
SECONDS_TO_TAKE = 60
_reading = threading.local()


class Server(BaseApplication):
    """The application behind gunicorn, at one address of this machine."""

    def __init__(self, application: WSGIApplication, host: str, port: int) -> None:
        self._application, self._address = application, f"{host}:{port}"
        super().__init__()

    def load_config(self) -> None:
        """Gunicorn's options."""
        options = {
            "bind": self._address,
            "workers": 1,
            "threads": THREADS,
            "worker_class": f"{__name__}.{PunctualWorker.__name__}",
            "proc_name": "larder-page",
            "timeout": 120,
            "control_socket_disable": True,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> WSGIApplication:
        """What is served."""
        return partial(read_whole, self._application)


class PunctualWorker(ThreadWorker):
    """A worker whose connections are cut when a request is not sent in time."""

    def handle(self, conn: Any) -> Any:
        """Read and answer one request."""
        _reading.timer = timer = threading.Timer(SECONDS_TO_SEND, cut, [conn.sock])
        timer.daemon = True
        timer.start()
        try:
            return super().handle(conn)
        finally:
            timer.cancel()


def read_whole(
    application: WSGIApplication, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    """Read the body, one byte more than is allowed at most, and only then call the application."""
    environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(MOST_BYTES + 1))
    environ["wsgi.input_terminated"] = True
    if timer := getattr(_reading, "timer", None):
        timer.cancel()
    if (connection := environ.get("gunicorn.socket")) is not None:
        connection.settimeout(SECONDS_TO_TAKE)
    return application(environ, start_response)


def cut(connection: socket) -> None:
    """End a connection whose other side is too slow; whoever waits for it goes on."""
    with suppress(OSError):  # it has gone by itself
        connection.shutdown(SHUT_RDWR)
