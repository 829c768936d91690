"""How far a training is: steps, epochs and the time left, of this attempt and no earlier one."""

import os
from pathlib import Path

import pytest

from pipeline.training import progress
from pipeline.training.progress import PROGRESS_FILE, ProgressFile, TrainingProgress, duration, read_progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_the_time_left_follows_from_this_attempts_steps(tmp_path: Path, clock: list[float]) -> None:
    written = ProgressFile(tmp_path, first=20, steps=50, steps_per_epoch=20)
    written.show(20)
    assert read_progress(tmp_path, 0) == TrainingProgress(20, 50, 2, 3, None)
    clock[0] += 30
    written.show(30)
    assert read_progress(tmp_path, 0) == TrainingProgress(30, 50, 2, 3, 60.0)
    clock[0] += 1
    written.show(31)
    assert read_progress(tmp_path, 0) == TrainingProgress(30, 50, 2, 3, 60.0), "written a moment ago"
    written.show(50)
    assert read_progress(tmp_path, 0) == TrainingProgress(50, 50, 3, 3, 0.0), "the end is always written"


def test_the_newest_training_of_this_attempt_counts(tmp_path: Path) -> None:
    for number, name in enumerate(("supervised", "tuned", "of_the_attempt_before")):
        (tmp_path / name).mkdir()
        ProgressFile(tmp_path / name, 0, 10 + number, 5).show(0)
        os.utime(tmp_path / name / PROGRESS_FILE, (1000 - 900 * (number // 2) + number,) * 2)
    found = read_progress(tmp_path, since=900)
    assert found is not None
    assert found.steps == 11
    assert read_progress(tmp_path, since=2000) is None


@pytest.mark.parametrize(
    ("seconds_before", "is_read"), [(0, True), (0.004, True), (0.01, True), (1, False), (60, False)]
)
def test_a_file_written_at_once_counts_though_the_kernels_clock_is_a_tick_late(
    tmp_path: Path, seconds_before: float, *, is_read: bool
) -> None:
    ProgressFile(tmp_path, 0, 10, 5).show(0)
    os.utime(tmp_path / PROGRESS_FILE, (1000 - seconds_before,) * 2)
    assert (read_progress(tmp_path, since=1000) is not None) == is_read


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.4, "0 s"), (59, "59 s"), (61, "1 min"), (3540, "59 min"), (7800, "2 h 10 min")]
)
def test_durations(seconds: float, said: str) -> None:
    assert duration(seconds) == said
