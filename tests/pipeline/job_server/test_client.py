"""The side of the task: the output line by line, the exit status, and a server that dies is started again once."""

import os
import stat
import sys
from pathlib import Path

import pytest

from pipeline.job_server.client import ServerLost, run_job, start_server
from pipeline.job_server.protocol import Request, socket_path
from pipeline.settings import REPOSITORY

SERVER = """#!{python}
import os, socket, sys
sys.path.insert(0, {repository!r})
from pathlib import Path
from pipeline.job_server.protocol import receive
listener = socket.socket(fileno=0)
count = Path({folder!r}) / "starts"
count.write_text((count.read_text() if count.exists() else "") + "x")
listener.settimeout(3)
while True:
    try:
        connection, _ = listener.accept()
    except TimeoutError:
        sys.exit()
    request, output = receive(connection)
    {body}
"""


def stand_in(folder: Path, body: str) -> dict[str, str]:
    """A small program in the server's place; the environment that names it."""
    program = folder / "python"
    repository = str(REPOSITORY)
    program.write_text(SERVER.format(python=sys.executable, repository=repository, folder=str(folder), body=body))
    program.chmod(0o755)
    return {**os.environ, "LARDER_JOBS_PYTHON": str(program)}


def ask(folder: Path, environment: dict[str, str], *arguments: str) -> tuple[int, list[str]]:
    said: list[str] = []
    return run_job(folder, Request("some.module", arguments, environment, str(folder)), said.append), said


def test_two_jobs_share_a_server_that_gets_their_arguments_and_environment(tmp_path: Path) -> None:
    body = (
        "os.write(output, (' '.join(request.arguments) + '\\n' + request.environment['DAY']).encode());"
        " os.close(output); connection.sendall(b'0\\n')"
    )
    environment = stand_in(tmp_path, body)
    assert ask(tmp_path, environment | {"DAY": "one"}, "--table", "o'brien $(id)") == (
        0,
        ["--table o'brien $(id)", "one"],
    )
    assert ask(tmp_path, environment | {"DAY": "zwölf"}) == (0, ["", "zwölf"])
    assert (tmp_path / "starts").read_text() == "x"


def test_the_status_of_a_failed_job_is_its_own(tmp_path: Path) -> None:
    environment = stand_in(tmp_path, "connection.sendall(b'3\\n'); sys.exit()")
    assert ask(tmp_path, environment)[0] == 3
    assert ask(tmp_path, environment)[0] == 3
    assert (tmp_path / "starts").read_text() == "xx"


def test_a_job_is_tried_again_where_the_server_died(tmp_path: Path) -> None:
    dies_once = "os._exit(9) if count.read_text() == 'x' else connection.sendall(b'0\\n')"
    status, said = ask(tmp_path, stand_in(tmp_path, dies_once))
    assert status == 0
    assert "ended during some.module" in said[0]


def test_a_server_that_dies_each_time_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ServerLost, match="2 times"):
        ask(tmp_path, stand_in(tmp_path, "os._exit(9)"))


def test_nobody_else_may_speak_to_the_server(tmp_path: Path) -> None:
    start_server(tmp_path, stand_in(tmp_path, "pass"))
    assert stat.S_IMODE(socket_path(tmp_path).stat().st_mode) == 0o600
