"""The night that is running can be named, ended whole from outside, and never mistaken for another."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from pipeline.nightly.processes import MARK, end_marked, mark
from pipeline.nightly.running import Holder, NightFailed, locked, say_who_holds, stop_night

# Each level starts the next one in a session of its own and keeps the lock it inherited.
TREE = """
import os, subprocess, sys, time
depth, lock = int(sys.argv[1]), int(sys.argv[2])
if depth:
    again = [sys.executable, "-c", sys.argv[3], str(depth - 1), str(lock), sys.argv[3]]
    subprocess.Popen(again, start_new_session=True, pass_fds=(lock,))
print(os.getpid(), flush=True)
time.sleep(600)
"""

Start = Callable[[Path, str, int], list[psutil.Process]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Nights whose `larder nightly` was killed: only what it started is left, holding the lock."""
    marks: list[dict[str, str]] = []

    def begin(runs: Path, name: str, depth: int) -> list[psutil.Process]:
        marks.append(mark())
        with locked(runs) as lock:
            say_who_holds(lock, Holder(name, marks[-1][MARK], f"larder nightly --source shop --stop {name}"))
            process = subprocess.Popen(
                [sys.executable, "-c", TREE, str(depth), str(lock), TREE],
                env=os.environ | marks[-1],
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
                pass_fds=(lock,),
            )
            assert process.stdout is not None
            return [psutil.Process(int(process.stdout.readline())) for _ in range(depth + 1)]

    yield begin
    for each in marks:
        end_marked(each)


@pytest.mark.parametrize("depth", [0, 1, 3])
def test_every_process_of_the_night_is_ended_and_the_lock_is_free(tmp_path: Path, start: Start, depth: int) -> None:
    tree = start(tmp_path, "night1", depth)
    stop_night(tmp_path, "night1")
    assert not [process for process in tree if _runs(process)]
    with locked(tmp_path):
        pass


def test_the_night_that_is_in_the_way_is_named_with_what_ends_it(tmp_path: Path, start: Start) -> None:
    start(tmp_path, "night1", 1)
    ends = r"night1\); wait for it, or end it with: larder nightly --source shop --stop night1"
    with pytest.raises(NightFailed, match=ends), locked(tmp_path):
        pass


def test_only_the_night_that_is_named_is_ended(tmp_path: Path, start: Start) -> None:
    tree, other = start(tmp_path / "shop", "night1", 1), start(tmp_path / "tafeng", "night1", 1)
    with pytest.raises(NightFailed, match="night2 is not running; the lock of this source is held by night1"):
        stop_night(tmp_path / "shop", "night2")
    assert all(_runs(process) for process in tree)
    stop_night(tmp_path / "shop", "night1")
    assert all(_runs(process) for process in other)


def test_what_does_not_run_cannot_be_stopped(tmp_path: Path, start: Start) -> None:
    with pytest.raises(NightFailed, match="no night of this source is running"):
        stop_night(tmp_path, "night1")
    start(tmp_path, "night1", 0)
    stop_night(tmp_path, "night1")
    with pytest.raises(NightFailed, match="no night of this source is running"):
        stop_night(tmp_path, "night1")


def test_a_command_that_holds_the_lock_is_not_taken_for_the_night_before_it(tmp_path: Path, start: Start) -> None:
    start(tmp_path, "night1", 0)
    stop_night(tmp_path, "night1")
    with locked(tmp_path), pytest.raises(NightFailed, match="held by a command such as `larder erase`"):
        stop_night(tmp_path, "night1")


def _runs(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
