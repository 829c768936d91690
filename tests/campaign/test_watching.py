"""What the long parts of the campaign go by: moments, orphans, an id wherever it lies, a version that is not whole."""

import zipfile
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import delete

from pipeline.alerts.models import StockoutAlert
from pipeline.alerts.publish import publish_alerts
from pipeline.alerts.store import opened
from pipeline.settings import Settings
from pipeline.workspace import Run, Workspace
from tests.campaign.bench import add
from tests.campaign.erasing import files_with
from tests.campaign.moments import moments
from tests.campaign.reader import reading
from tests.campaign.whole_night import KILLS, orphans
from tests.factories import BUSINESS_DATE, product, stockout, transaction
from tests.pipeline.lake.writer import publish, stage
from tests.published_tables import publish_rows

NIGHT = "run1"


def come(workspace: Workspace) -> list[str]:
    return [moment.name for moment in moments(workspace, NIGHT) if moment.has_come()]


def test_moments_come_one_after_the_other(workspace: Workspace) -> None:
    assert come(workspace) == []
    assert len(moments(workspace, NIGHT)) > 2 * KILLS
    workspace.lake.stage("products", NIGHT)
    assert come(workspace) == ["products is begun"]
    stage(workspace.lake, NIGHT)
    assert come(workspace) == ["products is begun", "products is written"]
    workspace.lake.publish("products", NIGHT)
    assert come(workspace) == ["products is written", "products arrives", "products is current"]
    folder = workspace.task_folder(NIGHT, "next_basket") / "training" / "checkpoints"
    folder.mkdir(parents=True)
    for step in (9, 10):
        (folder / f"ckpt-{step}.index").touch()
    assert come(workspace)[-4:] == [f"checkpoint {number}" for number in range(1, 5)]


def test_an_unfinished_version_is_an_orphan(workspace: Workspace) -> None:
    publish(workspace.lake, NIGHT)
    assert orphans(workspace, NIGHT) == []
    stage(workspace.lake, "run2")
    assert len(orphans(workspace, NIGHT)) == 1


def test_an_id_is_found_in_tables_archives_and_names(tmp_path: Path) -> None:
    (tmp_path / "shop" / "raw").mkdir(parents=True)
    (tmp_path / "shop" / "raw" / "sales.csv").write_text("C0000012")
    pq.write_table(pa.table({"name": ["x" * 5000, "C0000012"] * 99}), tmp_path / "a.parquet", compression="zstd")
    with zipfile.ZipFile(tmp_path / "b.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("weights", "zeros" * 999 + "C0000012")
    (tmp_path / "c.log").write_text("customer C0000012")
    (tmp_path / "C0000012.txt").touch()
    (tmp_path / "d.log").write_text("customer C0000013")
    found = {path.name for path in files_with(tmp_path, "C0000012")}
    assert found == {"a.parquet", "b.keras", "c.log", "C0000012.txt"}


def test_the_reader_sees_a_version_that_is_not_whole(settings: Settings, workspace: Workspace) -> None:
    publish_rows(workspace, "stockouts", stockout())
    with reading(settings.data_dir, "shop") as whole:
        pass
    (file,) = workspace.lake.path("stockouts", NIGHT).glob("*.parquet")
    pq.write_table(pq.read_table(file).slice(0, 0), file)
    with reading(settings.data_dir, "shop") as half:
        pass
    assert (whole["half versions"], half["half versions"] > 0) == (0, True)


def test_the_reader_sees_a_night_without_all_of_its_alerts(settings: Settings, workspace: Workspace) -> None:
    for table, rows in (("transactions", [transaction()]), ("baskets", []), ("products", [product()])):
        publish_rows(workspace, table, *rows)
    for table, rows in (("predictions", []), ("stockouts", [stockout()]), ("anomalies", [])):
        publish_rows(workspace, table, *rows)
    publish_alerts(settings, workspace, "shop", Run("shop", BUSINESS_DATE, NIGHT))
    with reading(settings.data_dir, "shop") as whole:
        pass
    with opened(settings) as engine, engine.begin() as connection:
        connection.execute(delete(StockoutAlert))
    with reading(settings.data_dir, "shop") as half:
        pass
    assert (whole["half nights"], half["half nights"] > 0) == (0, True)
    assert whole["nights read"] > 0


def test_a_reader_that_ended_too_early_saw_nothing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LARDER_DEMAND__HORIZON_DAYS", "none")  # its process reads the settings anew
    with pytest.raises(RuntimeError, match="the reader ended"), reading(settings.data_dir, "shop"):
        pass


def test_a_part_that_is_cut_keeps_the_faults_that_it_looked_for() -> None:
    assert dict(add(Counter({"kills": 2, "lost": 0}), {"unfinished": 1})) == {"kills": 2, "lost": 0, "unfinished": 1}
