"""What follows a night: a failure is reported and nothing else, and by hand it is about the night that is asked for."""

from datetime import date
from pathlib import Path

import pytest

from pipeline.lake.lake import Manifest
from pipeline.nightly.capabilities import published_night, run_capabilities
from pipeline.nightly.night import Night, start_night
from pipeline.nightly.running import NightFailed
from pipeline.settings import Settings
from pipeline.sources.source import SourceError, load_source
from pipeline.stages import Stage
from pipeline.workspace import Workspace
from tests.pipeline.nightly.test_night import stand_in


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
