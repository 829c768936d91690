"""Processes that lose their power: started as an operator would, and ended by SIGKILL, all of them at once."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

import psutil

from pipeline.settings import REPOSITORY


def kill_while(environment: Mapping[str, str], module: str, *arguments: str, at_work: Callable[[], bool]) -> None:
    """Run a module in that environment, and kill every process of its data folder as soon as `at_work()` holds.

    Raises: AssertionError: with the end of its output, where it ended before that.
    """
    started = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        env=environment,
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    while started.poll() is None and not at_work():
        time.sleep(0.05)  # looking costs processor time that the night needs
    ended_by_itself = started.poll() is not None
    kill_all(environment["LARDER_DATA_DIR"])
    output = started.communicate()[0]
    assert not ended_by_itself, f"{module} ended with {started.returncode} before it was killed:\n{output[-4000:]}"


def kill_all(data_dir: str) -> None:
    """SIGKILL to every process that works on this data folder, as when the machine loses power."""
    while doomed := [process for process in psutil.process_iter() if _data_dir_of(process) == data_dir]:
        for process in doomed:
            with suppress(psutil.NoSuchProcess):
                os.kill(process.pid, signal.SIGKILL)
        psutil.wait_procs(doomed, timeout=5)


def _data_dir_of(process: psutil.Process) -> str | None:
    with suppress(psutil.Error):
        if process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
            return process.environ().get("LARDER_DATA_DIR")
    return None
