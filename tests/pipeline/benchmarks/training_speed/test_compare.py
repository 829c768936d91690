"""Training speed beside another program's: ours is the nightly loop, theirs is whatever Python is named."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from tests.pipeline.benchmarks.folders import write_small_reality_check


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    """The command but for the Python that has torch, which no test environment has."""
    write_small_reality_check(tmp_path)
    asked = ["benchmark", "training-speed", "--dataset", "reality-check", str(tmp_path)]
    return [*asked, "--batches", "2", "--passes", "3", "--turns", "1", "--out", str(tmp_path / "out")]


def python(tmp_path: Path, script: str) -> Path:
    """A program in the place of that Python."""
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program


def test_both_are_measured_without_their_first_pass(command: list[str], tmp_path: Path) -> None:
    theirs = python(tmp_path, """test -f "$2" && echo '{"seconds": [90.0, 2.0, 4.0]}'""")
    done = CliRunner().invoke(app, [*command, "--torch-python", str(theirs)])
    assert done.exit_code == 0, done.output
    scores = json.loads((tmp_path / "out" / "scores.json").read_text())
    rates = scores["baskets_per_second"]
    assert rates["torch"] == [pytest.approx(2 * 128 / 3.0, abs=0.1)]
    assert rates["larder"][0] > 0
    assert scores["times_torch"] == pytest.approx(rates["larder"][0] / rates["torch"][0], rel=0.01)
    assert str(tmp_path) not in scores["command"]
    shown = (tmp_path / "out" / "table.md").read_text()
    assert f"{scores['times_torch']} times torch's speed" in shown
    assert shown.strip() in done.output


def test_a_python_without_torch_is_named_with_its_error(command: list[str], tmp_path: Path) -> None:
    theirs = python(tmp_path, "echo \"No module named 'torch'\" >&2; exit 1")
    done = CliRunner().invoke(app, [*command, "--torch-python", str(theirs)])
    assert done.exit_code == 1
    assert "torch ended with status 1" in done.output
    assert "No module named 'torch'" in done.output
