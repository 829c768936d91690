"""`larder source check`, as it is typed: with its own Spark, in a process of its own."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.settings import Settings

DESCRIPTION = """
name = "corner-shop"
files = "*.csv"
delimiter = ";"
decimal = ","
timezone = "Europe/Vienna"
time_format = "%d.%m.%Y"
columns = { sold_at = "date", customer = "client", product = "article", quantity = "qty", amount = "total" }
"""


@pytest.fixture
def described(tmp_path: Path, settings: Settings) -> Path:
    """A description of one file of two lines, the second of them bad."""
    (tmp_path / "sales.csv").write_text(
        "date;client;article;qty;total\n03.11.2025;C-17;4711;2;5,98\n04.11.2025;C-17;4711;2;5.98\n"
    )
    path = tmp_path / "mine.toml"
    path.write_text(DESCRIPTION)
    return path


def test_a_description_is_tried_before_a_night_runs(described: Path, capfd: pytest.CaptureFixture[str]) -> None:
    # As an operator in that folder would: the path is relative.
    result = CliRunner().invoke(app, ["source", "check", described.name])
    shown = capfd.readouterr().out
    assert result.exit_code == 0, result.stderr
    assert "2 lines tried: 1 would be accepted, 1 refused" in shown
    (row,) = (line.split() for line in shown.splitlines() if "unparseable_number" in line)
    assert row == ["unparseable_number", "total", "1", "sales.csv", "3", "5.98"]
    assert "last day of sales: 2025-11-04" in result.output
    assert list(described.parent.glob("var/*/lake")) == [], "nothing is ingested"


def test_a_description_that_fits_no_line_is_an_error(described: Path, capfd: pytest.CaptureFixture[str]) -> None:
    described.write_text(DESCRIPTION.replace("%d.%m.%Y", "%Y-%m-%d"))
    result = CliRunner().invoke(app, ["source", "check", described.name])
    assert result.exit_code == 1
    assert result.stderr == "larder: source corner-shop: none of the 2 lines tried would be accepted\n"
    assert "unparseable_date" in capfd.readouterr().out
