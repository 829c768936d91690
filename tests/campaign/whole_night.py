"""A whole night whose process tree is killed at many moments, while an independent reader reads everything.

As a night of `larder nightly`, Airflow included, or as the night's jobs alone (tests.campaign.jobs); both are held to
the tables of one undisturbed night, by hash.
"""

import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import IO

from pipeline.lake.content import content_hash
from pipeline.lake.lake import Lake
from pipeline.settings import REPOSITORY, Settings
from pipeline.tables.catalog import TABLES
from pipeline.temporary_folder import remove_stale
from pipeline.workspace import Workspace
from tests.campaign import jobs
from tests.campaign.bench import Bench, add, environment
from tests.campaign.moments import Moment, moments
from tests.campaign.reader import reading
from tests.killing import kill_all

REFERENCE = "ref"
KILLS = 20
POLL_SECONDS = 0.004
GIVE_UP = 3  # attempts that no kill ended and that failed all the same
LONGEST = 300.0  # seconds in which a night that was taken up again reaches its next moment, or something is wrong
# Grows with every attempt, as it should: what was said.
LOGS = ("airflow.log", "stages.jsonl", "worker-0.log")


def undisturbed(bench: Bench) -> Path:
    """The data folder of a night that nobody disturbed, made once for all parts; its run is called `REFERENCE`."""
    data = bench.shared / "reference"
    done = bench.shared / "reference.done"
    if not done.is_file():
        shutil.rmtree(data, ignore_errors=True)
        jobs.simulate(data)
        jobs.finish(data, REFERENCE)
        done.touch()
    return data


def delivered(bench: Bench, name: str) -> Path:
    """A new data folder with the files of the undisturbed night, and nothing made of them."""
    reference, data = undisturbed(bench), bench.fresh(name)
    shutil.copytree(reference / "shop" / "raw", data / "shop" / "raw")
    return data


def hashes(data: Path, run_id: str) -> dict[str, tuple[int, str]]:
    """The content of every table that the run made."""
    lake = Lake(data / "shop" / "lake")
    return {table: content_hash(lake, table, run_id) for table in TABLES if lake.is_published(table, run_id)}


def differing(data: Path, run_id: str, reference: Path) -> list[str]:
    """The tables that are not those of the undisturbed night."""
    ours, theirs = hashes(data, run_id), hashes(reference, REFERENCE)
    # Capabilities follow a night of `larder nightly`; the jobs alone make none.
    return sorted(table for table in theirs if ours.get(table) != theirs[table])


def killed_jobs(bench: Bench) -> Counter[str]:
    """The night's jobs, killed and taken up again."""
    return _killed(bench, with_airflow=False)


def killed_nights(bench: Bench) -> Counter[str]:
    """`larder nightly`, killed and taken up again by `--resume`."""
    return _killed(bench, with_airflow=True)


def _killed(bench: Bench, *, with_airflow: bool) -> Counter[str]:
    reference = undisturbed(bench)
    state = bench.state()
    data = bench.folder / "data"
    if "counted" not in state:
        data = delivered(bench, "data")
        bench.keep(counted={}, run_id=None if with_airflow else "killed", used=[], ended=False)
        state = bench.state()
    counted, run_id, used = Counter(state["counted"]), state["run_id"], state["used"]
    workspace = Workspace.of(Settings(data_dir=data), "shop")
    wanted = random.Random(bench.seed).sample(range(len(moments(workspace, "any"))), KILLS)
    with (bench.folder / "said.log").open("a") as said, reading(data, "shop") as read:
        while not bench.is_over() and not state["ended"]:
            with _started(data, run_id, said, with_airflow=with_airflow) as process:
                run_id = run_id or _named(workspace, process)
                known = moments(workspace, run_id)
                later = [number for number in wanted if number not in used and not known[number].has_come()]
                if (come := _first_to_come({number: known[number] for number in later}, process)) is not None:
                    used.append(come)
                    counted["kills"] += 1
                else:
                    process.wait()
                    state["ended"] = process.returncode == 0
                    counted["attempts that failed"] += process.returncode != 0
                    assert counted["attempts that failed"] < GIVE_UP, f"see {said.name}"
            kill_all(str(data))
            bench.keep(run_id=run_id, used=used, ended=state["ended"])
    counted = add(counted, dict(read))
    bench.keep(counted=dict(counted))
    if not state["ended"]:
        return add(counted, {"unfinished": 1})
    counted["other tables"] = len(differing(data, run_id, reference))
    left = [*orphans(workspace, run_id), *(_left_aside(data / "tmp") if with_airflow else [])]
    print(f"orphans: {left}")
    counted["orphans"] = len(left)
    counted["MB grown"] = max(0, round((size(data) - size(reference)) / 1e6) - 1)
    counted["tracebacks"] = (bench.folder / "said.log").read_text().count("Traceback") if with_airflow else 0
    return counted


class _started:
    """A night that is begun, or taken up again; every process of it is gone at the end."""

    def __init__(self, data: Path, run_id: str | None, said: IO[str], *, with_airflow: bool) -> None:
        if with_airflow:
            line = [sys.executable, "-m", "pipeline.cli", "nightly", *(["--resume", run_id] if run_id else [])]
        else:
            line = jobs.command(run_id or "killed")
        self.data = data
        self.process = subprocess.Popen(
            line, env=environment(data), cwd=REPOSITORY, stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )

    def __enter__(self) -> subprocess.Popen[bytes]:
        return self.process

    def __exit__(self, *_: object) -> None:
        kill_all(str(self.data))
        self.process.wait()


def _named(workspace: Workspace, process: subprocess.Popen[bytes]) -> str:
    """What `larder nightly` called its run."""
    while process.poll() is None:
        for folder in workspace.runs.glob("nightly-*"):
            return folder.name
        time.sleep(POLL_SECONDS)
    raise AssertionError(f"larder nightly ended with {process.returncode} before it had a name")


def _first_to_come(awaited: dict[int, Moment], process: subprocess.Popen[bytes]) -> int | None:
    """Wait for any of the moments, since one may be too short to be seen; None where the process ends before."""
    until = time.monotonic() + LONGEST
    while awaited and process.poll() is None and time.monotonic() < until:
        for number, moment in awaited.items():
            with suppress(FileNotFoundError):
                if moment.has_come():
                    return number
        time.sleep(POLL_SECONDS)
    return None


def orphans(workspace: Workspace, run_id: str) -> list[str]:
    """What a finished night has no use for: versions that are not whole, files aside, locks of nobody."""
    lake, found = workspace.lake, []
    for table in TABLES:
        found += [str(folder) for folder in lake.folders(table) if not lake.is_published(table, folder.name)]
        found += [str(path) for path in (lake.root / table).glob("removed/*")]
    found += [str(path) for path in workspace.root.rglob(".*.tmp")]
    found += [str(path) for path in (workspace.runs / run_id).rglob("ckpt-*")]
    return found


def _left_aside(temporary: Path) -> list[str]:
    """What killed nights left in the system's temporary folder and the next one would not remove."""
    long_ago = time.time() - 3600
    for path in temporary.iterdir():
        os.utime(path, (long_ago, long_ago), follow_symlinks=False)
    remove_stale(temporary)
    return [str(path) for path in temporary.iterdir() if not path.name.startswith("hsperfdata")]


def size(data: Path) -> int:
    """Bytes of tables, models and records; not of logs, which say more of a night that was killed."""
    kept = (path for part in ("shop", "mlartifacts", "mlruns") for path in (data / part).rglob("*"))
    return sum(path.stat().st_size for path in kept if path.is_file() and path.name not in LOGS)
