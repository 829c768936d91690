"""Secrets that can be told from all other words, given to a whole night and then searched for everywhere.

The database's password, the key of customers' pseudonyms, the passwords in the addresses for notices and of the
tracking store, and the page's client secret must stand in no log, table, report, MLflow run or database of the product,
in nothing that it prints, and in no command line of any process while it runs. (At these addresses nothing listens:
what is said of that counts, too.)
"""

import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import psycopg
from psycopg import sql

from pipeline.settings import REPOSITORY
from tests.campaign.bench import Bench, environment
from tests.campaign.whole_night import delivered
from tests.pipeline.alerts.postgres import PASSWORD, running

CANARY = "c4n4ry"
POLL_SECONDS = 0.02


def canaries(bench: Bench) -> Counter[str]:
    """One night of `larder nightly`, its digest, and an act of a person."""
    names = ("database", "pseudonyms", "notices", "client", "tracking")
    words = {name: f"{CANARY}{bench.seed}{name}{'0' * 20}" for name in names}
    data = delivered(bench, "data")
    source = _described(data)
    with running() as cluster:
        with psycopg.connect(cluster.url, autocommit=True) as connection:
            role = sql.SQL("ALTER ROLE larder PASSWORD {}").format(sql.Literal(words["database"]))
            connection.execute(role)
        secret = environment(
            data,
            LARDER_DATABASE_URL=cluster.url.replace(PASSWORD, words["database"]),
            LARDER_CUSTOMER_KEY=words["pseudonyms"],
            LARDER_NOTIFY_URLS=f"json://somebody:{words['notices']}@127.0.0.1:9/night",
            LARDER_PAGE_CLIENT_SECRET=words["client"],
        )
        watch = _Watch(tuple(words.values()))
        said = _larder(secret, "nightly", "--source", source)
        assert "Running out, worst first" in said, said[-3000:]
        said += _larder(secret, "settings") + _larder(secret, "alerts", "digest", "--source", source)
        closed = secret | {"LARDER_TRACKING_URI": f"http://somebody:{words['tracking']}@127.0.0.1:9"}
        said += _larder(closed, "nightly", "--source", source) + _larder(closed, "settings")
        seen = watch.end()
        said += (cluster.root / "log").read_text(errors="replace")
    found = [path for path in sorted(data.rglob("*")) if path.is_file() and CANARY.encode() in path.read_bytes()]
    found += [path for path, text in _parquet(data) if CANARY in text]
    print(f"files: {found}; command lines: {watch.found}")
    return Counter(
        {
            "secrets": len(words),
            "files searched": sum(1 for path in data.rglob("*") if path.is_file()),
            "command lines read": seen,
            "in files": len(found),
            "in command lines": len(watch.found),
            "printed": said.count(CANARY),
        }
    )


def _described(data: Path) -> str:
    """The shop's own description, with pseudonyms."""
    text = (REPOSITORY / "pipeline" / "sources" / "shop.toml").read_text()
    path = data / "shop" / "raw" / "secret.toml"
    path.write_text(text.replace('name = "shop"', 'name = "secret"') + "\n[customers]\npseudonymise = true\n")
    return str(path)


def _larder(secret: dict[str, str], *arguments: str) -> str:
    """All that a command prints."""
    line = [sys.executable, "-m", "pipeline.cli", *arguments]
    done = subprocess.run(line, env=secret, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def _parquet(data: Path) -> list[tuple[Path, str]]:
    """Each Parquet file with its values as text, since they are compressed."""
    import pyarrow.parquet as pq

    return [(path, str(pq.read_table(path).to_pydict())) for path in data.rglob("*.parquet")]


class _Watch:
    """Reads the command lines of all processes until it is ended."""

    def __init__(self, words: tuple[str, ...]) -> None:
        self.found: set[str] = set()
        self.lines: set[bytes] = set()
        self._words = tuple(word.encode() for word in words)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._read_on, daemon=True)
        self._thread.start()

    def end(self) -> int:
        """How many different command lines were read."""
        self._ended.set()
        self._thread.join()
        return len(self.lines)

    def _read_on(self) -> None:
        while not self._ended.is_set():
            for folder in Path("/proc").glob("[0-9]*"):
                self._look(folder / "cmdline")
            time.sleep(POLL_SECONDS)

    def _look(self, path: Path) -> None:
        try:
            line = path.read_bytes()
        except OSError:
            return
        self.lines.add(line)
        if any(word in line for word in self._words):
            self.found.add(line.decode(errors="replace")[:200])
