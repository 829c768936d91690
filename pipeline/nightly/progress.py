"""The terminal's view of a night: one line per stage as it ends, and what is going on now.

On a terminal the last line says what runs; where the output is piped, plain lines say it every half minute, and of a
training at every epoch.
"""

import time
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.text import Text

from pipeline.stages import Stage
from pipeline.training.progress import TrainingProgress, duration, read_progress
from pipeline.workspace import TASKS_FOLDER

STYLES = {"done": "green", "failed": "bold red"}
TRAINING = "train_model"
SECONDS_BETWEEN_LINES = 30.0


class Progress:
    """Prints a line for each stage that ended, and shows which one runs, for how long, and how far a training is.

    Args: folder: the night's, where a training says how far it is.
    """

    def __init__(self, console: Console, folder: Path) -> None:
        self._console, self._folder = console, folder
        self._status = console.status("starting Airflow")
        self._running: str | None = None
        self._began, self._began_on_disk = 0.0, 0.0
        self._said: tuple[float, int | None] = (0.0, None)

    def __enter__(self) -> "Progress":
        self._console.print(line("stage", "rows in", "rows out", "seconds"), style="bold")
        self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._status.stop()

    def show(self, stage: Stage) -> None:
        """Take up one record of the run."""
        if stage.status == "running":
            self._running = stage.name
            self._began, self._began_on_disk = time.monotonic(), time.time()
            self._said = (self._began, None)
            self._status.update(stage.name)
            return
        self._running = None
        self._status.update("between stages")
        text = line(stage.label, counted(stage.rows_in), counted(stage.rows_out), f"{stage.seconds or 0:.1f}")
        if stage.status == "failed":
            text += "  failed"
        self._console.print(Text(text, style=STYLES.get(stage.status, "")))

    def wait(self) -> None:
        """Say what goes on; called again and again while the night runs."""
        if self._running is None:
            return
        now = time.monotonic()
        training = (
            read_progress(self._folder / TASKS_FOLDER, self._began_on_disk) if self._running == TRAINING else None
        )
        text = f"{self._running}: {training or f'for {duration(now - self._began)}'}"
        if self._console.is_terminal:
            self._status.update(Text(text))
        elif self._is_due(now, training):
            self._said = now, training.epoch if training else None
            self._console.print(Text(f"  {text}"), soft_wrap=True)

    def _is_due(self, now: float, training: TrainingProgress | None) -> bool:
        said_at, epoch = self._said
        return now - said_at >= SECONDS_BETWEEN_LINES or (training is not None and training.epoch != epoch)


def line(name: str, rows_in: str, rows_out: str, seconds: str) -> str:
    """One row of the list of stages."""
    return f"{name:<30} {rows_in:>12} {rows_out:>12} {seconds:>9}"


def counted(rows: int | None) -> str:
    """A number of rows for people, or a dash where the stage counts none."""
    return "-" if rows is None else f"{rows:,}"
