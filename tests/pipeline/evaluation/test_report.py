"""A scorecard on the terminal: every model beside the others, and what the gate said."""

from datetime import date
from pathlib import Path

import pytest

from pipeline.evaluation.gate import Verdict
from pipeline.evaluation.report import print_scorecard
from pipeline.evaluation.scorecard import Scorecard, Window


def write_card(folder: Path, models: dict[str, dict[str, float]]) -> None:
    Scorecard(
        source="shop",
        business_date=date(2026, 3, 1),
        run_id="night1",
        window=Window.before(date(2026, 3, 1), 14),
        customers=1234,
        vocabulary_hash="0",
        data_versions={},
        models=models,
    ).write(folder)


def words(capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    return [line.split() for line in capsys.readouterr().out.splitlines()]


def test_every_model_is_shown_beside_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_card(tmp_path, {"candidate": {"recall@10": 0.5, "gap_mae_days": 3.25}, "global_top": {"recall@10": 0.25}})
    print_scorecard(tmp_path)
    lines = words(capsys)
    assert ["recall@10", "0.5000", "0.2500"] in lines
    assert ["gap_mae_days", "3.2500", "-"] in lines
    assert any("1,234" in line for line in lines)


def test_one_basket_size_is_shown_where_one_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_card(tmp_path, {"candidate": {"recall@1": 0.1, "recall@10": 0.5, "gap_mae_days": 3.25}})
    print_scorecard(tmp_path, only_k=10)
    shown = {line[0] for line in words(capsys) if line}
    assert {"recall@10", "gap_mae_days"} <= shown
    assert "recall@1" not in shown


@pytest.mark.parametrize(
    ("reasons", "said"),
    [(None, "not judged"), ([], "became champion"), (["recall@10 is below global_top"], "was refused")],
)
def test_the_verdict_is_shown_with_its_reasons(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], reasons: list[str] | None, said: str
) -> None:
    write_card(tmp_path, {"candidate": {"recall@10": 0.1}})
    if reasons is not None:
        Verdict(candidate_version="m/1", champion_before=None, promoted=not reasons, reasons=reasons).write(tmp_path)
    print_scorecard(tmp_path)
    out = capsys.readouterr().out
    assert said in out
    assert all(reason in out for reason in reasons or [])
