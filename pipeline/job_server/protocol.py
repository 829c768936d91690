"""How a client and the job server speak: one request and one reply over a Unix socket that only its owner reaches.

A request is one line of JSON, with a pipe beside it into which the job writes what it has to say. The reply is one
line: the job's exit status. No reply means that the server is gone, and the job with it.
"""

import json
import os
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

# The folder of the socket; set where the jobs of a night share one Spark application.
FOLDER = "LARDER_JOB_SERVER"
# The process with which the server ends, however that one ends.
OWNER = "LARDER_JOB_SERVER_OWNER"
LARGEST_REQUEST = 4 * 1024 * 1024


@dataclass(frozen=True)
class Request:
    """One job: what runs, its arguments, and the process state that it would have had as a process of its own.

    Args:
        module: has the function `main(argv)`.
        environment: all variables, secrets among them: they never leave the socket.
        folder: the working directory.
    """

    module: str
    arguments: tuple[str, ...]
    environment: dict[str, str]
    folder: str


def socket_path(folder: str | Path) -> Path:
    """Where the server of that folder listens."""
    return Path(folder) / "jobs.sock"


def send(connection: socket.socket, request: Request, output: int) -> None:
    """Send a request with the writing end of a pipe."""
    line = json.dumps(asdict(request)).encode() + b"\n"
    sent = socket.send_fds(connection, [line], [output])
    connection.sendall(line[sent:])


def receive(connection: socket.socket) -> tuple[Request, int]:
    """The request and the pipe into which its job writes.

    Raises: ConnectionError: the client left before it had asked.
    """
    data, handles, _, _ = socket.recv_fds(connection, 65536, 1)
    while data and not data.endswith(b"\n") and len(data) < LARGEST_REQUEST:
        part = connection.recv(65536)
        if not part:
            break
        data += part
    if len(handles) != 1 or not data.endswith(b"\n"):
        for handle in handles:
            os.close(handle)
        raise ConnectionError("no whole request")
    values = json.loads(data)
    return Request(**values | {"arguments": tuple(values["arguments"])}), handles[0]
