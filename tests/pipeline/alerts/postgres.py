"""A PostgreSQL of the test's own: a temporary cluster on a Unix socket, reached by password, gone afterwards."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PASSWORD = "shelf-life"


@dataclass(frozen=True)
class Cluster:
    """A cluster that can be stopped and started, as often as one likes."""

    root: Path
    fsync: bool

    @property
    def url(self) -> str:
        """The URL of its database `postgres`."""
        return f"postgresql://larder:{PASSWORD}@/postgres?host={self.root}"

    def start(self) -> None:
        """Start it and wait until it serves."""
        durable = "on" if self.fsync else "off"
        options = f"-c listen_addresses='' -c unix_socket_directories='{self.root}' -c fsync={durable}"
        _run("pg_ctl", "-D", self.root / "data", "-w", "-l", self.root / "log", "-o", options, "start")

    def stop(self) -> None:
        """End it at once, without a checkpoint: what a client was told is done must be there after a start."""
        _run("pg_ctl", "-D", self.root / "data", "-m", "immediate", "stop")


@contextmanager
def running(*, fsync: bool = False) -> Iterator[Cluster]:
    """A started cluster. `fsync`: for one that is to survive a stop in the middle of its work."""
    with tempfile.TemporaryDirectory(prefix="larder-pg-") as folder:
        root = Path(folder)
        (root / "password").write_text(PASSWORD + "\n")
        if os.geteuid() == 0:
            for path in (root, root / "password"):
                shutil.chown(path, "nobody")
        data, password = root / "data", root / "password"
        _run("initdb", "-D", data, "-U", "larder", "-A", "scram-sha-256", "--pwfile", password, "-E", "UTF8")
        made = Cluster(root, fsync)
        made.start()
        try:
            yield made
        finally:
            made.stop()


@contextmanager
def cluster() -> Iterator[str]:
    """Start a cluster; yields the URL of its database `postgres`."""
    with running() as started:
        yield started.url


def _run(program: str, *arguments: object) -> None:
    found = shutil.which(program) or next(iter(sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))), None)
    if found is None:
        raise FileNotFoundError(f"{program} is not installed: install Debian's package postgresql")
    # PostgreSQL refuses to run as root.
    as_nobody = ["runuser", "-u", "nobody", "--"] if os.geteuid() == 0 else []
    command = [*as_nobody, str(found), *(str(argument) for argument in arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, cwd="/")
    assert done.returncode == 0, f"{program} failed: {done.stdout}"
