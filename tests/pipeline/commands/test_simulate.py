"""`larder simulate` and `larder simulate score` as typed."""

import json
import re
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from pipeline.alerts import queries
from pipeline.cli import app
from pipeline.settings import Settings
from pipeline.sources.source import load_source
from pipeline.workspace import Workspace
from tests.pipeline.simulator.conftest import SMALL, SimulatedShop

TINY = ["--customers", "30", "--days", "3", "--stores", "1", "--products", "20"]


@pytest.fixture
def published(shop: SimulatedShop, monkeypatch: pytest.MonkeyPatch) -> None:
    """An alert store whose alerts are the truth's first shortage and one customer who did not change."""
    truth = shop.table("truth/stockouts.csv").query("period == 'horizon'").iloc[0]
    stockout = SimpleNamespace(run_id="r1", store_id=truth["store_id"], product_id=truth["product_id"])
    anomaly = SimpleNamespace(run_id="r1", funnel_kind="customer", funnel_id="nobody")

    def open_alerts(_settings: Settings, *, kind: str, source: str, business_date: date) -> list[SimpleNamespace]:
        assert (source, business_date) == ("shop", SMALL.business_date)
        return [stockout] if kind == "stockout" else [anomaly]

    monkeypatch.setattr(queries, "open_alerts", open_alerts)


def test_simulate_writes_below_the_data_folder(settings: Settings) -> None:
    result = CliRunner().invoke(app, ["simulate", *TINY])
    assert result.exit_code == 0, result.output
    assert len(list((settings.data_dir / "shop" / "raw" / "sales").iterdir())) == 3
    assert f"business date {date.today()}" in result.output


@pytest.mark.usefixtures("settings")
def test_a_shop_made_again_keeps_its_past(tmp_path: Path) -> None:
    arguments = ["simulate", *TINY, "--out", str(tmp_path / "shop")]
    assert CliRunner().invoke(app, [*arguments, "--last-day", "2026-01-31"]).exit_code == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "shop" / "raw" / "sales").iterdir()}
    assert sorted(before)[-1] == "sales_2026-01-31.csv.gz"
    again = CliRunner().invoke(app, [*arguments, "--days", "4"])
    after = {path.name: path.read_bytes() for path in (tmp_path / "shop" / "raw" / "sales").iterdir()}
    assert "business date 2026-02-02" in again.output
    assert {name: after[name] for name in before} == before


@pytest.mark.usefixtures("settings")
def test_the_same_days_are_the_same_files_however_they_are_given(tmp_path: Path) -> None:
    for name, day in (("a", ("--first-day", "2026-01-29")), ("b", ("--last-day", "2026-01-31"))):
        assert CliRunner().invoke(app, ["simulate", *TINY, *day, "--out", str(tmp_path / name)]).exit_code == 0
    files = [path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*") if path.is_file()]
    assert files
    assert all((tmp_path / "a" / path).read_bytes() == (tmp_path / "b" / path).read_bytes() for path in files)
    both = ["simulate", *TINY, "--first-day", "2026-01-29", "--last-day", "2026-01-31", "--out", str(tmp_path / "c")]
    assert CliRunner().invoke(app, both).exit_code == 2


def test_simulate_refuses_what_makes_no_shop(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["simulate", "--days", "0", "--out", str(tmp_path)])
    assert result.exit_code == 2
    assert "days" in result.output
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("published")
def test_score_writes_what_it_prints(shop: SimulatedShop, tmp_path: Path) -> None:
    file = tmp_path / "scores.json"
    result = CliRunner().invoke(app, ["simulate", "score", "--out", str(shop.folder), "--json", str(file)])
    assert result.exit_code == 0, result.output
    written = {row["name"]: row for row in json.loads(file.read_text())["scores"]}
    assert written["stock-outs"]["precision"] == 1.0
    assert written["behaviour changes"]["precision"] == 0.0
    assert all(name in result.output for name in ("stock-outs, planted", "behaviour changes, size"))


@pytest.mark.usefixtures("published")
def test_score_refuses_alerts_of_another_run(shop: SimulatedShop) -> None:
    result = CliRunner().invoke(app, ["simulate", "score", "--out", str(shop.folder), "--run-id", "r2"])
    assert result.exit_code == 1
    assert "of run r1, not of r2" in result.output


def test_score_refuses_a_date_whose_truth_is_not_known(shop: SimulatedShop) -> None:
    arguments = ["simulate", "score", "--out", str(shop.folder), "--business-date", "2025-03-10"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert str(SMALL.business_date) in result.output


@pytest.mark.usefixtures("settings")
def test_a_sales_team_is_written_with_its_description_and_the_ceiling_is_printed(tmp_path: Path) -> None:
    arguments = ["simulate", "--shop", "sales", "--customers", "60", "--days", "60", "--out", str(tmp_path / "team")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "60 cases of 24 agents" in result.output
    assert "business date 2025-03-07" in result.output
    assert re.search(r"predicts [678]\d\.\d% of the next actions", result.output)
    source = load_source(str(tmp_path / "team" / "sales.toml"))
    assert source.actions is not None
    workspace = Workspace.of(Settings(), source.name)
    assert [path.name for path in source.files_of("actions", source.actions.files, workspace)] == ["actions.csv"]
    assert not (tmp_path / "team" / "raw" / "truth").exists()
    assert (tmp_path / "team" / "truth" / "cases.csv").is_file()


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--shop", "salse"], 1, "did you mean 'sales'?"),
        (["--shop", "sales", "--stores", "2"], 2, "--stores is of the shop"),
        (["--shop", "sales", "--days", "3"], 2, "days"),
    ],
)
def test_what_cannot_be_simulated_is_said(arguments: list[str], status: int, message: str) -> None:
    result = CliRunner().invoke(app, ["simulate", *arguments])
    assert result.exit_code == status
    assert message in result.output
    assert "Traceback" not in result.output
