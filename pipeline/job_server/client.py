"""Running a job in the night's shared Spark application: the side of the Airflow task.

The first job starts the server; so does any job that finds it gone. A client that goes away, killed or out of time,
takes the server with it: its job stops at once, and the next job starts a server anew.
"""

import fcntl
import os
import selectors
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from pipeline.job_server.protocol import Request, send, socket_path
from pipeline.settings import REPOSITORY

ATTEMPTS = 2


class ServerLost(Exception):
    """The server ended before its job did, more than once."""


def run_job(folder: Path, request: Request, say: Callable[[str], None]) -> int:
    """Run a job to its end and hand on its output line by line; returns its exit status.

    Args:   folder: where the server's socket lies.
    Raises: ServerLost: the server died during the job, and the one started in its place did, too.
    """
    for attempt in range(1, ATTEMPTS + 1):
        with suppress(ConnectionError), _connected(folder, request.environment) as connection:
            status = _follow(connection, request, say)
            if status is not None:
                return status
        # A server that is about to end may still take connections.
        socket_path(folder).unlink(missing_ok=True)
        say(f"the shared Spark application ended during {request.module} (killed, or out of memory?), try {attempt}")
    raise ServerLost(f"the shared Spark application ended {ATTEMPTS} times during {request.module}")


@contextmanager
def _connected(folder: Path, environment: Mapping[str, str]) -> Iterator[socket.socket]:
    """A connection to the folder's server, which is started where none listens."""
    with socket.socket(socket.AF_UNIX) as connection:
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                connection.connect(str(socket_path(folder)))
            except OSError:
                start_server(folder, environment)
                connection.connect(str(socket_path(folder)))
        yield connection


def start_server(folder: Path, environment: Mapping[str, str], output: IO[bytes] | None = None) -> None:
    """Start a server; whoever connects from now on is served as soon as it has a session.

    Args:
        environment: its own, and that of its JVM.
        output: where the JVM writes; default: where this process does.
    """
    socket_path(folder).unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        previous = os.umask(0o177)
        try:
            listener.bind(str(socket_path(folder)))
        finally:
            os.umask(previous)
        listener.listen()
        command = [environment["LARDER_JOBS_PYTHON"], "-m", "spark_jobs.serve_jobs"]
        # The listening socket is the server's standard input.
        subprocess.Popen(
            command,
            stdin=listener.fileno(),
            stdout=output,
            stderr=output,
            env=dict(environment),
            cwd=REPOSITORY,
            start_new_session=True,
        )


def _follow(connection: socket.socket, request: Request, say: Callable[[str], None]) -> int | None:
    """Send the request and hand on the output until the reply; None where none comes."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", buffering=0) as output, selectors.DefaultSelector() as ready:
        os.set_blocking(reading, False)
        try:
            send(connection, request, writing)
        finally:
            os.close(writing)
        ready.register(connection, selectors.EVENT_READ)
        ready.register(output, selectors.EVENT_READ)
        rest, reply = b"", None
        while reply is None:
            for key, _ in ready.select():
                if key.fileobj is connection:
                    reply = _reply(connection)
                elif part := output.read(65536):
                    rest = _say_lines(rest + part, say)
                else:
                    ready.unregister(output)
        while part := output.read(65536):
            rest = _say_lines(rest + part, say)
        if rest:
            say(rest.decode(errors="replace"))
        return int(reply) if reply else None


def _reply(connection: socket.socket) -> bytes:
    try:
        return connection.recv(64)
    except OSError:
        return b""


def _say_lines(data: bytes, say: Callable[[str], None]) -> bytes:
    """Hand on whole lines; returns what is left of the last one."""
    *lines, rest = data.split(b"\n")
    for line in lines:
        say(line.decode(errors="replace"))
    return rest
