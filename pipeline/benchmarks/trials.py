"""Trials of a comparison: one method on one part of the data, in its own process, kept in a folder when finished.

A trial in its own process has a peak memory of its own. A finished trial is kept: an interrupted comparison goes on
where it stopped, and a further method joins the others.
"""

import json
import multiprocessing
import os
import resource
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from pipeline.files import replace_text

FILE_NAME = "trial.json"
"""Its presence says that the trial is finished."""
_MEGABYTE = 1024.0  # kilobytes

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class Stopwatch:
    """Seconds of a trial's steps, its processor time, and the peak memory of its process."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._lap, self._cpu = time.monotonic(), time.process_time()

    def lap(self, step: str) -> None:
        """End a step, and begin the next."""
        now = time.monotonic()
        self._seconds[step] = round(now - self._lap, 2)
        self._lap = now

    def used(self) -> dict[str, Any]:
        """`seconds` by step and `cpu` over all, `peak_mb`."""
        return {
            "seconds": self._seconds | {"cpu": round(time.process_time() - self._cpu, 2)},
            "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MEGABYTE),
        }


def in_own_process(
    function: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
) -> Result:
    """Call a function of a module in a new process, and return its result.

    TensorFlow's own notices stay away from the terminal, unless the environment sets a level.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(function, *args, **kwargs).result()


def write_trial(folder: Path, found: dict[str, Any]) -> None:
    """Write the last file of a trial, which says that it is finished."""
    folder.mkdir(parents=True, exist_ok=True)
    replace_text(folder / FILE_NAME, json.dumps(found, indent=1))


def read_trial(folder: Path) -> dict[str, Any]:
    """A finished trial."""
    trial: dict[str, Any] = json.loads((folder / FILE_NAME).read_text())
    return trial


def finished_trial(folder: Path, configured: dict[str, Any], dataset: list[str]) -> dict[str, Any] | None:
    """The trial kept in a folder, if its method is configured as it is now; a seed is no configuration.

    Raises: ValueError: where the folder holds a trial on another data set.
    """
    if not (folder / FILE_NAME).is_file():
        return None
    trial = read_trial(folder)
    if trial["dataset"] != dataset:
        raise ValueError(f"{folder} is about {' '.join(trial['dataset'])}; choose another --out")
    now = json.loads(json.dumps(configured))
    return trial if _without_seed(trial["configured"]) == _without_seed(now) else None


def _without_seed(settings: Any) -> Any:
    if isinstance(settings, dict):
        return {name: _without_seed(value) for name, value in settings.items() if name != "seed"}
    return settings
