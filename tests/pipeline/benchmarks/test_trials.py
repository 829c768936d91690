"""A finished trial is kept while its method and data set are the same; a process of its own has its own memory."""

import os
from pathlib import Path

import pytest

from pipeline.benchmarks.trials import Stopwatch, finished_trial, in_own_process, write_trial

TRIAL = {"dataset": ["tafeng"], "configured": {"alpha": 0.1, "trees": {"n": 3, "seed": 0}}}


@pytest.mark.parametrize(
    ("configured", "is_kept"),
    [
        ({"alpha": 0.1, "trees": {"n": 3, "seed": 7}}, True),
        ({"alpha": 0.2, "trees": {"n": 3, "seed": 0}}, False),
        ({"alpha": 0.1, "trees": {"n": 4, "seed": 0}}, False),
        ({"alpha": 0.1}, False),
    ],
)
def test_a_trial_is_kept_unless_its_configuration_changed_other_than_by_seed(
    tmp_path: Path, configured: dict[str, object], is_kept: bool
) -> None:
    assert finished_trial(tmp_path, configured, ["tafeng"]) is None
    write_trial(tmp_path, TRIAL)
    assert (finished_trial(tmp_path, configured, ["tafeng"]) == TRIAL) == is_kept


def test_tuples_in_a_configuration_equal_the_lists_that_were_kept(tmp_path: Path) -> None:
    write_trial(tmp_path, TRIAL | {"configured": {"units": (64, 32)}})
    assert finished_trial(tmp_path, {"units": (64, 32)}, ["tafeng"]) is not None


def test_a_folder_of_another_data_set_is_refused(tmp_path: Path) -> None:
    write_trial(tmp_path, TRIAL)
    with pytest.raises(ValueError, match="is about tafeng; choose another --out"):
        finished_trial(tmp_path, {}, ["shop"])


def test_a_function_runs_in_another_process_and_its_errors_come_back() -> None:
    assert in_own_process(os.getpid) != os.getpid()
    with pytest.raises(ValueError, match="invalid literal"):
        in_own_process(int, "x")


def test_steps_are_timed_apart() -> None:
    stopwatch = Stopwatch()
    stopwatch.lap("fit")
    stopwatch.lap("predict")
    used = stopwatch.used()
    assert list(used["seconds"]) == ["fit", "predict", "cpu"]
    assert used["peak_mb"] > 0
