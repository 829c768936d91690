"""The terminal's view of a night: one line per stage as it ends, and what is going on now."""

from types import TracebackType

from rich.console import Console
from rich.text import Text

from pipeline.stages import Stage

STYLES = {"done": "green", "failed": "bold red"}


class Progress:
    """Prints a line for each stage that ended; on a terminal also the name of the one that runs."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = console.status("starting Airflow")

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
            self._status.update(stage.name)
            return
        self._status.update("between stages")
        text = line(stage.name, counted(stage.rows_in), counted(stage.rows_out), f"{stage.seconds or 0:.1f}")
        if stage.status == "failed":
            text += "  failed"
        self._console.print(Text(text, style=STYLES.get(stage.status, "")))


def line(name: str, rows_in: str, rows_out: str, seconds: str) -> str:
    """One row of the list of stages."""
    return f"{name:<24} {rows_in:>12} {rows_out:>12} {seconds:>9}"


def counted(rows: int | None) -> str:
    """A number of rows for people, or a dash where the stage counts none."""
    return "-" if rows is None else f"{rows:,}"
