"""Plans from a team's files: by counts before the first champion, by the champion after it; as typed and as read."""

import json
from datetime import date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from pyspark.sql import SparkSession
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.evaluation.scorecard import Scorecard
from pipeline.settings import Settings
from pipeline.workspace import Workspace
from spark_jobs import ingest_actions, predict_actions, train_model, validate_table
from tests.spark_jobs.sales_team import deliver, describe, procedure

DAY = date(2026, 3, 1)
FIRST = datetime(2026, 1, 1, 9)
# What follows the call depends on the segment alone.
STEPS = {"private": ["call", "brochure", "sign"], "company": ["call", "visit", "offer", "sign"]}


@pytest.fixture
def file(spark: SparkSession, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Sixty cases that ended and four that are open: two after the call, two with an action that nobody did before."""
    wanted = {"WORKERS": "1", "EPOCHS": "14", "BATCH_SIZE": "16", "LEARNING_RATE": "0.01", "HOLDOUT_DAYS": "15"}
    for name, value in wanted.items():
        monkeypatch.setenv(f"LARDER_TASKS__SALE_ACTIONS__TRAINING__{name}", value)
    done, deals = [], []
    for case in range(60):
        segment = ("private", "company")[case % 2]
        outcome = "lost" if case % 5 == 0 else "won"
        done += procedure(case, FIRST + timedelta(hours=21 * case), STEPS[segment], ("ann", "bob")[case % 2])
        deals.append(f"d{case:03},{segment},,{outcome}")
    yesterday = datetime(2026, 2, 28, 9)
    for case, segment in ((90, "private"), (91, "company")):
        done += procedure(case, yesterday, ["call"], "cid")
        deals.append(f"d{case:03},{segment},,")
    done += procedure(92, yesterday, ["dance"], "") + procedure(93, yesterday, ["dance"], "")
    deliver(tmp_path, done, deals)
    return describe(tmp_path)


def arguments(file: Path, run_id: str) -> list[str]:
    return ["--source", str(file), "--business-date", DAY.isoformat(), "--run-id", run_id]


def plans(team: Workspace, file: Path, run_id: str) -> pd.DataFrame:
    predict_actions.main(arguments(file, run_id))
    validate_table.main([*arguments(file, run_id), "--table", "action_plans"])
    return pd.read_parquet(team.lake.path("action_plans", run_id)).sort_values("case_id").reset_index(drop=True)


def larder(*words: str, status: int = 0) -> str:
    result = CliRunner().invoke(app, [*words])
    assert result.exit_code == status, result.output
    return result.output


def test_counts_plan_before_the_first_champion_and_then_the_champion_does(file: Path, settings: Settings) -> None:
    team, named = Workspace.of(settings, "team"), ("--source", str(file))
    assert "no published version" in larder("actions", "list", *named, status=1)
    ingest_actions.main(arguments(file, "run1"))
    first = plans(team, file, "run1")
    assert set(first["fallback"]) == {"no_model"}
    assert set(first["model_version"]) == {"medoid"}
    assert first["case_id"].tolist() == ["d090", "d091", "d092", "d093"], "open cases and no others"

    train_model.main([*arguments(file, "run1"), "--task", "sale_actions"])
    card = Scorecard.read(team.task_folder("run1", "sale_actions"))
    best = max(of["similarity"] for name, of in card.models.items() if name != "candidate")
    assert card.models["candidate"]["similarity"] > best, "the segment decides, and counts do not see it"
    said = larder("model", "promote", *arguments(file, "run1"), "--task", "sale_actions")
    assert "sale_actions/1 is champion" in said

    found = plans(team, file, "run2")
    assert set(found["model_version"]) == {"larder-team-sale_actions/1"}
    assert found["fallback"].fillna("").tolist() == ["", "", *["only_unknown_actions"] * 2]
    assert found["next_action"].tolist()[:2] == ["brochure", "visit"]
    assert [step["action"] for step in found["steps"][1]] == STEPS["company"][1:]
    assert found["win_probability"].between(0.0, 1.0).all()
    assert found["best_win_probability"].between(0.0, 1.0).all()
    effect = found["attribute_effects"][0][0]
    assert effect["attribute"] == "segment=private"
    assert effect["effect"] > 0.05, "the segment speaks for the brochure"

    pd.testing.assert_frame_equal(found, plans(team, file, "run3"))

    listed = larder("actions", "list", *named, "--agent", "cid")
    assert listed.startswith("2 of 2 open cases of cid, team, 2026-03-01")
    rows = json.loads(larder("actions", "list", *named, "--json"))
    assert {row["case_id"] for row in rows} == set(found["case_id"])
    csv = larder("actions", "list", *named, "--csv", "-").splitlines()
    assert csv[0].startswith("case_id,agent,last_action")
    assert len(csv) == 5
    assert "no open case of agent 'cyd'" in larder("actions", "list", *named, "--agent", "cyd", status=1)

    why = larder("actions", "why", "d091", *named)
    assert "2026-02-28 09:00" in why, "in the team's own time"
    assert "segment=company" in why
    assert "visit" in why
    assert "no open case 'd001'" in larder("actions", "why", "d001", *named, status=1)
