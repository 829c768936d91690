"""Nothing that was started stays, however it detached itself."""

import os
import subprocess
import sys

import psutil

from pipeline.nightly.processes import end_marked, mark

DETACHES = """
import os, subprocess, sys, time
deep = subprocess.Popen(["sleep", "600"], start_new_session=True)
print(deep.pid, flush=True)
time.sleep(600)
"""


def start(environment: dict[str, str]) -> tuple["subprocess.Popen[str]", psutil.Process]:
    process = subprocess.Popen(
        [sys.executable, "-c", DETACHES], env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    return process, psutil.Process(int(process.stdout.readline()))


def test_ends_what_detached_itself_and_nothing_else() -> None:
    ours, theirs = {**os.environ, **mark()}, {**os.environ, **mark()}
    (ended, deep), (kept, kept_deep) = start(ours), start(theirs)
    try:
        end_marked(ours)
        assert ended.wait(10) < 0
        psutil.wait_procs([deep], timeout=10)
        assert not deep.is_running() or deep.status() == psutil.STATUS_ZOMBIE
        assert kept.poll() is None
        assert kept_deep.is_running()
    finally:
        end_marked(theirs)
        kept.wait(10)
