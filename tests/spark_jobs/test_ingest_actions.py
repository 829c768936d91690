"""Every delivered line of a sales team is an action, a case's description or refused; nothing later is known."""

from datetime import date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from pipeline.settings import Settings
from pipeline.workspace import Workspace
from spark_jobs import ingest_actions
from tests.spark_jobs.sales_team import deliver, describe, procedure

DAY = date(2026, 2, 1)
START = datetime(2026, 1, 5, 9)
DEALS = ["d001,private,,won", "d002,company,40,", "d003,company,oops,", "d002,public,50,", "d009,private,1,lost"]


@pytest.fixture
def team(spark: SparkSession, settings: Settings) -> Workspace:
    return Workspace.of(settings, "team")


def ingest(file: Path, run_id: str = "run1", day: date = DAY) -> None:
    ingest_actions.main(["--source", str(file), "--business-date", day.isoformat(), "--run-id", run_id])


def table(team: Workspace, name: str, run_id: str = "run1") -> pd.DataFrame:
    return pd.read_parquet(team.lake.path(name, run_id))


def test_every_line_becomes_an_action_or_a_refusal_with_its_reason(team: Workspace, tmp_path: Path) -> None:
    file = describe(tmp_path)
    good = [*procedure(1, START, ["call", "offer", "sign"]), *procedure(2, START, ["call", "visit"], agent="")]
    good += [line for case in range(10, 90) for line in procedure(case, START, ["call", "offer"], "bob")]
    bad = [
        "2026-01-05 09:00:00,,call,ann",
        "5 January,d001,call,ann",
        "2199-01-01 09:00:00,d001,call,ann",
        "1066-10-14 09:00:00,d001,call,ann",
        "2026-01-05 09:00:00,d001,call",
        good[0],
    ]
    later = procedure(2, datetime(2026, 2, 1, 8), ["sign"])
    deliver(tmp_path, [*good, *bad, *later], DEALS)
    ingest(file)
    rejected = table(team, "rejected_actions")
    reasons = rejected[rejected["kind"] == "actions"].sort_values("source_line")["reason"].tolist()
    assert reasons == [
        "missing_key",
        "unparseable_date",
        "future_date",
        "overflow",
        "column_count",
        "duplicate_line",
    ]
    of_cases = rejected[rejected["kind"] == "cases"]
    assert of_cases[["reason", "column_name", "value"]].to_numpy().tolist() == [["unparseable_number", "staff", "oops"]]
    actions = table(team, "actions")
    assert len(actions) == len(good), "what is done on the business date or later is not known yet"
    first = actions[actions["case_id"] == "d001"].sort_values("position")
    assert first["action"].tolist() == ["call", "offer", "sign"]
    assert first["local_hour"].tolist() == [9.0] * 3
    assert str(first["acted_at_utc"].iloc[0])[:19] == "2026-01-05 08:00:00"
    cases = table(team, "cases").set_index("case_id")
    assert "d009" not in cases.index, "a case without an action is none"
    assert cases.loc["d001", "outcome"] == "won"
    assert cases.loc["d001", "ended_on"] == date(2026, 1, 7)
    assert pd.isna(cases.loc["d002", "ended_on"])
    assert cases.loc["d002", "attributes"].tolist() == ["segment=public"], "of two lines the last counts"
    assert cases.loc["d002", "numbers"].tolist() == [{"name": "staff", "value": 50.0}]
    assert cases.loc["d010", "agent"] == "bob"
    assert cases.loc["d010", "attributes"] is None


def test_an_earlier_night_knows_no_outcome_of_a_case_that_went_on(team: Workspace, tmp_path: Path) -> None:
    file = describe(tmp_path)
    deliver(tmp_path, procedure(1, START, ["call", "offer", "sign"]), DEALS)
    ingest(file, "early", date(2026, 1, 6))
    early = table(team, "cases", "early").iloc[0]
    assert (early["n_actions"], early["outcome"]) == (1, None)
    assert pd.isna(early["ended_on"])
    assert table(team, "actions", "early")["action"].tolist() == ["call"]


def test_without_outcomes_an_end_action_or_silence_ends_a_case(team: Workspace, tmp_path: Path) -> None:
    file = describe(tmp_path, actions='end_actions = ["sign"]\nidle_days = 10', without=', outcome = "result"')
    done = [*procedure(1, START, ["call", "sign"]), *procedure(2, START, ["call"])]
    done += procedure(3, datetime(2026, 1, 20), ["sign", "call"])
    deliver(tmp_path, done, DEALS)
    ingest(file)
    ended = table(team, "cases").set_index("case_id")["ended_on"]
    assert ended["d001"] == date(2026, 1, 6)
    assert ended["d002"] == START.date() + timedelta(days=10)
    assert ended["d003"] == date(2026, 1, 31), "an action after the end action opens the case again, for ten days"


def test_too_few_usable_lines_are_refused_and_the_reasons_can_be_read(
    team: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = describe(tmp_path)
    wrong = [line.replace("2026-01-", "2026/01/") for line in procedure(2, START, ["call"] * 9)]
    deliver(tmp_path, [*procedure(1, START, ["call", "offer"]), *wrong], DEALS[:1])
    with pytest.raises(SystemExit) as ended:
        ingest(file)
    assert "file done.csv: 9 of 11 lines cannot be used (unparseable_date (time) 9)" in str(ended.value)
    assert team.lake.current("actions") is None
    assert len(table(team, "rejected_actions")) == 9


def test_a_rerun_changes_nothing_and_new_runs_of_the_same_files_are_identical(team: Workspace, tmp_path: Path) -> None:
    file = describe(tmp_path)
    deliver(tmp_path, procedure(1, START, ["call", "offer", "sign"]), DEALS)
    ingest(file)
    written = [path.stat().st_mtime_ns for path in sorted(team.lake.root.rglob("*.parquet"))]
    ingest(file)
    assert [path.stat().st_mtime_ns for path in sorted(team.lake.root.rglob("*.parquet"))] == written
    ingest(file, "run2")
    for name in ("actions", "cases", "rejected_actions"):
        pd.testing.assert_frame_equal(table(team, name), table(team, name, "run2"))


def test_a_missing_file_or_column_names_itself(team: Workspace, tmp_path: Path) -> None:
    file = describe(tmp_path)
    with pytest.raises(SystemExit, match=r"no file matches .*done\*\.csv \(actions\)"):
        ingest(file)
    deliver(tmp_path, [], [])
    (tmp_path / "deals.csv").write_text("deal,result\n")
    with pytest.raises(SystemExit, match=r"column 'segment' \(cases.attributes.segment\) is missing"):
        ingest(file)
