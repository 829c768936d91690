"""A request that is sent slowly, or not to its end, holds nobody up."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

SENDING = 3
SERVE = f"""
import sys
from pipeline.page import server
server.SECONDS_TO_SEND = {SENDING}
server.THREADS = 4
def application(environ, start_response):
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(len(body)).encode()]
server.Server(application, "127.0.0.1", int(sys.argv[1])).run()
"""
HALVES = {
    "head": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
    "body": b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nhalf",
    "chunk": b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nhalf",
    "nothing": b"",
}


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = int(taken.getsockname()[1])
    repository = str(Path(__file__).resolve().parents[3])
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(number)],
        env=os.environ | {"PYTHONPATH": repository},
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        until = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", number), timeout=1).close()
                break
            except OSError:
                assert time.monotonic() < until
                time.sleep(0.1)
        yield number
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def ask(port: int) -> float:
    """Seconds until an honest request is answered."""
    started = time.monotonic()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", data=b"12345", timeout=60) as response:
        assert response.read() == b"5"
    return time.monotonic() - started


@pytest.mark.parametrize("half", HALVES)
def test_half_a_request_from_many_holds_nobody_up_for_long(port: int, half: str) -> None:
    connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(6)]
    try:
        for connection in connections:
            connection.sendall(HALVES[half])
        assert ask(port) < 4 * SENDING
    finally:
        for connection in connections:
            connection.close()


def test_a_sender_that_drips_is_cut(port: int) -> None:
    with closing(socket.create_connection(("127.0.0.1", port))) as connection:
        connection.sendall(HALVES["head"])
        started = time.monotonic()
        with suppress(OSError):
            while time.monotonic() - started < 30:
                connection.sendall(b"a")
                time.sleep(0.3)
        assert time.monotonic() - started < 5 * SENDING
