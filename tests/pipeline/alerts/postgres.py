"""A PostgreSQL of the test's own: a temporary cluster on a Unix socket, reached by password, gone afterwards."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PASSWORD = "shelf-life"


@contextmanager
def cluster() -> Iterator[str]:
    """Start a cluster; yields the URL of its database `postgres`."""
    with tempfile.TemporaryDirectory(prefix="larder-pg-") as folder:
        root = Path(folder)
        (root / "password").write_text(PASSWORD + "\n")
        if os.geteuid() == 0:
            for path in (root, root / "password"):
                shutil.chown(path, "nobody")
        data = root / "data"
        _run("initdb", "-D", data, "-U", "larder", "-A", "scram-sha-256", "--pwfile", root / "password", "-E", "UTF8")
        options = f"-c listen_addresses='' -c unix_socket_directories='{root}' -c fsync=off"
        _run("pg_ctl", "-D", data, "-w", "-l", root / "log", "-o", options, "start")
        try:
            yield f"postgresql://larder:{PASSWORD}@/postgres?host={root}"
        finally:
            _run("pg_ctl", "-D", data, "-m", "immediate", "stop")


def _run(program: str, *arguments: object) -> None:
    found = shutil.which(program) or next(iter(sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))), None)
    if found is None:
        raise FileNotFoundError(f"{program} is not installed: install Debian's package postgresql")
    # PostgreSQL refuses to run as root.
    as_nobody = ["runuser", "-u", "nobody", "--"] if os.geteuid() == 0 else []
    command = [*as_nobody, str(found), *(str(argument) for argument in arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, cwd="/")
    assert done.returncode == 0, f"{program} failed: {done.stdout}"
