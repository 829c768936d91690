"""A part of a benchmark in a process of its own, so that its peak memory is its own."""

import subprocess
import sys
from collections.abc import Mapping, Sequence

_LINES_SHOWN = 12


def run_module(module: str, arguments: Sequence[str], called: str, environment: Mapping[str, str] | None = None) -> str:
    """`python -m module arguments`; see `run_program`."""
    return run_program([sys.executable, "-m", module, *arguments], called, environment)


def run_program(command: Sequence[str], called: str, environment: Mapping[str, str] | None = None) -> str:
    """What a program writes to its standard output.

    Args:   environment: this process's by default.
    Raises: RuntimeError: where it fails, with what was `called` and the end of what it said.
    """
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode != 0:
        said = "\n".join(done.stderr.strip().splitlines()[-_LINES_SHOWN:])
        raise RuntimeError(f"{called} ended with status {done.returncode}:\n{said}")
    return done.stdout
