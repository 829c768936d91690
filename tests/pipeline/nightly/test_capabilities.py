"""What follows a night: a failure is reported and nothing else, and by hand it is about the night that is asked for."""

from datetime import date, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.lake.lake import Manifest
from pipeline.nightly.capabilities import dags_of, published_night, run_capabilities
from pipeline.nightly.night import Night, plan_night, start_night
from pipeline.nightly.running import NightFailed
from pipeline.settings import Settings
from pipeline.sources.source import SourceError, load_source
from pipeline.stages import Stage
from pipeline.workspace import Workspace
from tests.pipeline.nightly.test_night import stand_in
from tests.spark_jobs import sales_team


def test_a_failed_capability_is_named_with_its_reason_and_the_next_one_runs(
    settings: Settings, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = (
        "if dag == 'killed':\n    os._exit(9)\n"
        "try:\n"
        "    with stage(dag, folder):\n"
        "        if dag == 'segments':\n            raise ValueError('nobody to put into segments')\n"
        "except ValueError:\n    sys.exit(1)\n"
    )
    stand_in(tmp_path, monkeypatch, body)
    night = Night("shop", date(2026, 3, 1), "night1", workspace.runs / "night1")
    shown: list[Stage] = []
    with start_night(settings.model_copy(update={"share_spark": False}), night) as started:
        failed = run_capabilities(started, ("segments", "killed", "offers"), shown.append)
    assert list(failed) == ["segments", "killed"]
    assert "nobody to put into segments" in failed["segments"]
    assert "larder run segments --source shop --business-date 2026-03-01" in failed["segments"]
    assert [(stage.name, stage.status) for stage in shown if stage.status != "running"] == [
        ("segments", "failed"),
        ("offers", "done"),
    ]


def test_by_hand_it_reads_the_latest_night_or_that_of_a_day(settings: Settings, workspace: Workspace) -> None:
    source, lake = load_source("shop"), workspace.lake
    with pytest.raises(NightFailed, match=r"has published products, predictions.*none yet"):
        published_night(settings, source, "shop", "segments", None)
    for name, day in (("first", date(2026, 3, 1)), ("again", date(2026, 3, 1)), ("later", date(2026, 3, 2))):
        for table in ("products", "predictions"):
            lake.stage(table, name).mkdir()
            lake.describe(Manifest(table=table, version=name, business_date=day, rows=1))
            lake.publish(table, name)
    lake.stage("products", "half").mkdir()
    lake.describe(Manifest(table="products", version="half", business_date=date(2026, 3, 3), rows=1))
    lake.publish("products", "half")
    assert published_night(settings, source, "shop", "segments", None).name == "later"
    night = published_night(settings, source, "shop", "segments", date(2026, 3, 1))
    assert (night.name, night.business_date) == ("again", date(2026, 3, 1))
    with pytest.raises(NightFailed, match=r"as of 2026-03-03.*nights that have: 2026-03-01, 2026-03-02"):
        published_night(settings, source, "shop", "segments", date(2026, 3, 3))


def test_a_source_names_capabilities_that_there_are(tmp_path: Path) -> None:
    assert load_source("shop").capabilities == ("segments",)
    shop = Path("pipeline/sources/shop.toml").read_text()
    described = tmp_path / "mine.toml"
    described.write_text("capabilities = ['segment']\n" + shop)
    with pytest.raises(SourceError, match="unknown capability 'segment'; known: segments"):
        load_source(str(described))
    described.write_text("capabilities = []\n" + shop)
    assert load_source(str(described)).capabilities == ()


def test_a_capability_that_takes_in_its_own_files_is_a_night_of_its_own(settings: Settings, tmp_path: Path) -> None:
    sales_team.deliver(tmp_path, sales_team.procedure(1, datetime(2026, 1, 5), ["call"] * 20), [])
    file = str(sales_team.describe(tmp_path))
    team = load_source(file)
    night = plan_night(settings, team, file, None, capability="sale_actions")
    assert night.business_date == date(2026, 1, 25)
    assert night.name.startswith("sale_actions-2026-01-25-")
    for dag in ("sale_actions", "case_intake"):
        assert night.command_of(dag) == f"larder run sale_actions --source {file} --resume {night.name}"
    night.folder.mkdir(parents=True)
    assert plan_night(settings, team, file, None, night.name, capability="sale_actions") == night
    with pytest.raises(NightFailed, match="no night sale_actions-1999"):
        plan_night(settings, team, file, None, "sale_actions-1999-01-01-x", capability="sale_actions")
    assert dags_of("sale_actions") == ("case_intake", "sale_actions")
    assert dags_of("segments") == ("segments",)


def test_what_a_run_by_hand_cannot_do_is_said_in_one_line(settings: Settings) -> None:
    resumed = CliRunner().invoke(app, ["run", "segments", "--source", "shop", "--resume", "x"])
    assert resumed.exit_code == 1
    assert "segments reads the tables of a night; name that by --business-date" in resumed.output
    no_actions = CliRunner().invoke(app, ["run", "sale_actions", "--source", "shop"])
    assert no_actions.exit_code == 1
    assert no_actions.output.count("\n") == 1, no_actions.output
    assert "[actions]" in no_actions.output
