"""The end of the terminal's output: nothing is cut, nothing is invented."""

import json
from datetime import date

import pytest

from pipeline.evaluation.scorecard import Scorecard, Window
from pipeline.nightly.night import Night
from pipeline.nightly.summary import print_alerts, print_pointers, print_scorecard
from pipeline.workspace import Workspace


@pytest.fixture
def night(workspace: Workspace) -> Night:
    return Night("shop", date(2026, 3, 1), "night1", workspace.run_folder("night1"))


def write_card(night: Night, models: dict[str, dict[str, float]], *, promoted: bool, reasons: list[str]) -> None:
    Scorecard(
        source="shop",
        business_date=night.business_date,
        run_id=night.name,
        window=Window.before(night.business_date, 14),
        customers=1234,
        vocabulary_hash="0",
        data_versions={},
        models=models,
    ).write(night.folder)
    (night.folder / "promotion.json").write_text(json.dumps({"promoted": promoted, "reasons": reasons}))


def test_every_model_is_shown_beside_the_others(night: Night, capsys: pytest.CaptureFixture[str]) -> None:
    models = {"candidate": {"recall@10": 0.5, "gap_mae_days": 3.25}, "global_top": {"recall@10": 0.25}}
    write_card(night, models, promoted=True, reasons=[])
    print_scorecard(night)
    lines = capsys.readouterr().out.splitlines()
    assert next(line.split() for line in lines if "recall@10" in line) == ["recall@10", "0.5000", "0.2500"]
    assert next(line.split() for line in lines if "gap_mae" in line) == ["gap_mae_days", "3.2500", "-"]
    assert any("1,234 customers" in line for line in lines)


def test_a_refusal_is_shown_with_its_reason(night: Night, capsys: pytest.CaptureFixture[str]) -> None:
    write_card(night, {"candidate": {"recall@10": 0.1}}, promoted=False, reasons=["recall@10 is below global_top"])
    print_scorecard(night)
    out = capsys.readouterr().out
    assert "was refused" in out
    assert "recall@10 is below global_top" in out


def test_a_night_without_alerts_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    print_alerts("Running out", [])
    assert "Running out: none" in capsys.readouterr().out


def test_the_log_and_the_folder_are_named_in_full(night: Night, capsys: pytest.CaptureFixture[str]) -> None:
    print_pointers(night)
    out = capsys.readouterr().out
    assert str(night.log) in out
    assert f"--run-id {night.name}" in out
