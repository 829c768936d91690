"""`larder up`: what it prints, and what it leaves when it ends."""

import os
import signal
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.commands import nightly
from pipeline.job_server.driver import TEMPORARY
from pipeline.settings import Settings

MINE = """
name = "mine"
files = "*.csv"
timezone = "America/Los_Angeles"
[columns]
sold_at = "t"
product = "p"
customer = "c"
quantity = "q"
amount = "a"
"""


def test_it_says_whose_clock_the_schedule_follows_and_takes_its_temporary_folder_along(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.toml").write_text(MINE)
    monkeypatch.setenv("LARDER_SOURCE", str(tmp_path / "mine.toml"))
    monkeypatch.delenv("AIRFLOW_CONN_SPARK_DEFAULT", raising=False)
    seen: list[tuple[dict[str, str], bool]] = []

    def start(_command: list[str], env: dict[str, str]) -> SimpleNamespace:
        seen.append((env, Path(env[TEMPORARY]).is_dir()))
        return SimpleNamespace(wait=lambda: None)

    # Databases and servers take half a minute to start; what is handed to them is what matters here.
    for where, name in ((nightly, "migrate_database"), (nightly, "end_marked"), (signal, "signal")):
        monkeypatch.setattr(where, name, lambda *_: None)
    monkeypatch.setattr(subprocess, "Popen", start)
    result = CliRunner().invoke(app, ["up"])
    assert result.exit_code == 0, result.output
    assert "the nightly schedule runs by the clock of America/Los_Angeles" in result.stdout
    ((environment, was_there),) = seen
    assert was_there
    assert not Path(environment[TEMPORARY]).exists()
    assert environment["LARDER_DATA_DIR"] == os.fspath(settings.data_dir)
