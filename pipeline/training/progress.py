"""How far a training is, in a small file beside its checkpoints that the night's terminal reads; it decides nothing."""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.files import replace_text

PROGRESS_FILE = "progress.json"
SECONDS_BETWEEN = 5.0  # two writes: each waits for the disk
_CLOCK_TICK = 0.1  # a file carries the time of the kernel's last tick, which is earlier than `time.time()` when written


@dataclass(frozen=True)
class TrainingProgress:
    """Steps taken and to take, the current epoch (counted from 1), and the time that all steps left would take.

    Epoch 0: parts of the model are trained before the whole. Training may end earlier, where validation gets no better.
    `seconds_left` is None before this process's first step.
    """

    step: int
    steps: int
    epoch: int
    epochs: int
    seconds_left: float | None

    def __str__(self) -> str:
        if self.epoch == 0:
            return f"some heads alone, before epoch 1 of {self.epochs}"
        left = "" if self.seconds_left is None else f", at most {duration(self.seconds_left)} left"
        return f"epoch {self.epoch} of {self.epochs}, step {self.step:,} of {self.steps:,}{left}"


class ProgressFile:
    """Writes the progress of one training, from step `first` on; the steps before it were an earlier process's."""

    def __init__(self, folder: Path, first: int, steps: int, steps_per_epoch: int) -> None:
        self._path = folder / PROGRESS_FILE
        self._first, self._steps, self._steps_per_epoch = first, steps, steps_per_epoch
        self._started = time.monotonic()
        self._written: float | None = None

    def show_preparation(self) -> None:
        """Write that parts of the model are trained before the first step."""
        self._write(TrainingProgress(self._first, self._steps, 0, self._epochs, None))

    def show(self, step: int) -> None:
        """Write how far the training is, unless it was written a moment ago; the last step is always written."""
        now = time.monotonic()
        if self._written is not None and now - self._written < SECONDS_BETWEEN and step < self._steps:
            return
        self._written = now
        taken = step - self._first
        left = round((now - self._started) / taken * (self._steps - step), 1) if taken else None
        epoch = min(step // self._steps_per_epoch + 1, self._epochs)
        self._write(TrainingProgress(step, self._steps, epoch, self._epochs, left))

    @property
    def _epochs(self) -> int:
        return -(-self._steps // self._steps_per_epoch)

    def _write(self, progress: TrainingProgress) -> None:
        replace_text(self._path, json.dumps(asdict(progress)))


def read_progress(folder: Path, since: float) -> TrainingProgress | None:
    """The newest progress of the trainings under a folder, or None where none was written after `since`.

    Args: since: seconds since 1970, as files carry them; older files are of a process that ended before.
    """
    newest: tuple[float, Path] | None = None
    for path in folder.rglob(PROGRESS_FILE):
        try:
            written = path.stat().st_mtime
        except FileNotFoundError:
            continue  # removed with its finished training
        if written >= since - _CLOCK_TICK and (newest is None or written > newest[0]):
            newest = written, path
    if newest is None:
        return None
    try:
        return TrainingProgress(**json.loads(newest[1].read_text()))
    except FileNotFoundError:
        return None


def duration(seconds: float) -> str:
    """Such as 40 s, 5 min or 2 h 10 min."""
    minutes = round(seconds / 60)
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
