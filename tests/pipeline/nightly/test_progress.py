"""What a night says while it runs, on a terminal and into a pipe."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from pipeline.nightly import progress
from pipeline.nightly.progress import Progress
from pipeline.stages import Stage
from pipeline.training.progress import ProgressFile


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_into_a_pipe_a_training_says_each_epoch_and_every_half_minute_how_far_it_is(
    tmp_path: Path, clock: list[float]
) -> None:
    out = io.StringIO()
    folder = tmp_path / "tasks" / "next_basket" / "training"
    folder.mkdir(parents=True)
    with Progress(Console(file=out, width=80), tmp_path) as shown:
        shown.show(Stage("train_model"))
        for seconds, step in ((1, 0), (5, 4), (10, 10), (10, 11), (35, 12)):
            clock[0] += seconds
            ProgressFile(folder, 0, 30, 10).show(step)
            shown.wait()
        shown.show(Stage("train_model", "done", 5, 6, 61.0, {"task": "next_basket"}))
    said = [line.split(",")[:2] for line in out.getvalue().splitlines() if "epoch" in line]
    assert said == [
        ["  train_model: epoch 1 of 3", " step 0 of 30"],
        ["  train_model: epoch 2 of 3", " step 10 of 30"],
        ["  train_model: epoch 2 of 3", " step 12 of 30"],
    ]
    assert "at most" in out.getvalue()
    assert out.getvalue().splitlines()[-1].split() == ["train_model", "next_basket", "5", "6", "61.0"]


def test_into_a_pipe_every_long_stage_says_that_it_goes_on(tmp_path: Path, clock: list[float]) -> None:
    out = io.StringIO()
    with Progress(Console(file=out, width=80), tmp_path) as shown:
        shown.show(Stage("build_baskets"))
        for _ in range(7):
            clock[0] += 10
            shown.wait()
        shown.show(Stage("build_baskets", "done", 5, 6, 70.0))
        shown.wait()
    assert [line for line in out.getvalue().splitlines() if "for" in line] == [
        "  build_baskets: for 30 s",
        "  build_baskets: for 1 min",
    ]


def test_on_a_terminal_the_last_line_says_it_and_no_line_is_added(tmp_path: Path, clock: list[float]) -> None:
    out = io.StringIO()
    with Progress(Console(file=out, width=80, force_terminal=True), tmp_path) as shown:
        shown.show(Stage("build_baskets"))
        clock[0] += 45
        shown.wait()
        shown._status._live.refresh()
    assert "build_baskets: for 45 s" in out.getvalue()
