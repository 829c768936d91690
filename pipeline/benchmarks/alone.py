"""A part of a benchmark in a process of its own, so that its peak memory is its own."""

import subprocess
import sys
from collections.abc import Sequence

_LINES_SHOWN = 12


def run_module(module: str, arguments: Sequence[str], called: str) -> None:
    """`python -m module arguments`.

    Raises: RuntimeError: where it fails, with what was `called` and the end of what it said.
    """
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        said = "\n".join(done.stderr.strip().splitlines()[-_LINES_SHOWN:])
        raise RuntimeError(f"{called} ended with status {done.returncode}:\n{said}")
