"""The end of the terminal's output: nothing is cut, nothing is invented."""

from datetime import date

import pytest

from pipeline.nightly.night import Night
from pipeline.nightly.summary import print_alerts, print_pointers
from pipeline.workspace import Workspace


@pytest.fixture
def night(workspace: Workspace) -> Night:
    return Night("shop", date(2026, 3, 1), "night1", workspace.run_folder("night1"))


def test_a_night_without_alerts_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    print_alerts("Running out", [])
    assert "Running out: none" in capsys.readouterr().out


def test_the_log_and_the_folder_are_named_in_full(night: Night, capsys: pytest.CaptureFixture[str]) -> None:
    print_pointers(night)
    out = capsys.readouterr().out
    assert str(night.log) in out
    assert f"--run-id {night.name}" in out
