"""Run another program as a part of a benchmark, and read its output."""

import subprocess
import sys
from collections.abc import Mapping, Sequence

_LINES_SHOWN = 12


def run_module(module: str, arguments: Sequence[str], called: str, environment: Mapping[str, str] | None = None) -> str:
    """`python -m module arguments`; see `run_program`."""
    return run_program([sys.executable, "-m", module, *arguments], called, environment)


def run_program(command: Sequence[str], called: str, environment: Mapping[str, str] | None = None) -> str:
    """Run a program and return its standard output.

    Args:   environment: this process's by default.
    Raises: RuntimeError: where it fails, with what was `called` and the end of its error output.
    """
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode != 0:
        errors = "\n".join(done.stderr.strip().splitlines()[-_LINES_SHOWN:])
        raise RuntimeError(f"{called} ended with status {done.returncode}:\n{errors}")
    return done.stdout
