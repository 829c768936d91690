"""One night by hand, with a small program in Airflow's place: what is shown, what fails how, what is left running."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path

import psutil
import pytest

from pipeline.nightly.night import NIGHTLY, Night, plan_night, prepare_files, start_night
from pipeline.nightly.running import NightFailed, locked, stop_night
from pipeline.settings import Settings
from pipeline.sources.source import SourceError, load_source
from pipeline.stages import Stage
from pipeline.workspace import Workspace

AIRFLOW = """#!{python}
import json, os, subprocess, sys, time
from pathlib import Path
sys.path.insert(0, {repository!r})
from pipeline.stages import stage
if sys.argv[1:3] == ["db", "migrate"]:
    sys.exit()
dag, conf = sys.argv[3], json.loads(sys.argv[sys.argv.index("--conf") + 1])
folder = Path(os.environ["LARDER_DATA_DIR"]) / conf["source"] / "runs" / conf["run_name"]
{body}
"""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """The stand-in for Airflow runs no job, so there is no Spark application to share."""
    return settings.model_copy(update={"share_spark": False})


def run_dag(settings: Settings, night: Night, dag: str, on_stage: Callable[[Stage], None]) -> None:
    with start_night(settings, night) as started:
        started.run(dag, on_stage)


@pytest.fixture
def night(workspace: Workspace) -> Night:
    return Night("shop", date(2026, 3, 1), "night1", workspace.run_folder("night1"))


def stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """Put a small program into Airflow's place."""
    program = folder / "airflow"
    repository = str(Path(__file__).resolve().parents[3])
    program.write_text(AIRFLOW.format(python=sys.executable, repository=repository, body=body))
    program.chmod(0o755)
    monkeypatch.setenv("LARDER_AIRFLOW", str(program))


def test_every_stage_is_shown_with_its_rows(
    settings: Settings, night: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = "with stage('build_baskets', folder) as record:\n    record.rows_in, record.rows_out = 5, 3\n"
    stand_in(tmp_path, monkeypatch, body)
    shown: list[Stage] = []
    run_dag(settings, night, NIGHTLY, shown.append)
    assert [(stage.name, stage.status, stage.rows_in, stage.rows_out) for stage in shown] == [
        ("build_baskets", "running", None, None),
        ("build_baskets", "done", 5, 3),
    ]


def test_a_failure_names_the_stage_its_reason_and_the_log(
    settings: Settings, night: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path, monkeypatch, "with stage('build_baskets', folder):\n    raise ValueError('no column sold_at')\n")
    with pytest.raises(NightFailed, match=r"build_baskets failed: ValueError: no column sold_at[\s\S]*airflow.log"):
        run_dag(settings, night, NIGHTLY, lambda stage: None)


def test_a_failure_before_any_stage_shows_what_the_job_said(
    settings: Settings, night: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = "print('Last spark-submit output:')\nprint('cannot open sales.csv')\nsys.exit(1)\n"
    stand_in(tmp_path, monkeypatch, body)
    with pytest.raises(NightFailed, match=r"cannot open sales\.csv"):
        run_dag(settings, night, NIGHTLY, lambda stage: None)


def test_an_interrupted_night_is_taken_up_under_its_name_and_speaks_of_its_new_attempt_alone(
    settings: Settings, night: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path, monkeypatch, "with stage('build_baskets', folder):\n    raise ValueError('disk full')\n")
    with pytest.raises(NightFailed, match=f"disk full[\\s\\S]*--resume {night.name}"):
        run_dag(settings, night, NIGHTLY, lambda stage: None)
    stand_in(tmp_path, monkeypatch, "with stage('train_model', folder):\n    raise ValueError('no worker')\n")
    shown: list[Stage] = []
    with pytest.raises(NightFailed) as again:
        run_dag(settings, night, NIGHTLY, shown.append)
    assert [stage.name for stage in shown] == ["train_model"] * 2
    assert "no worker" in str(again.value)
    assert "disk full" not in str(again.value)


def test_only_a_night_that_there_was_is_taken_up_as_of_its_own_day(settings: Settings, workspace: Workspace) -> None:
    source = load_source("shop")
    with pytest.raises(NightFailed, match="no night nightly-2026-03-01-x"):
        plan_night(settings, source, "shop", None, "nightly-2026-03-01-x")
    workspace.run_folder("nightly-2026-03-01-x")
    assert plan_night(settings, source, "shop", None, "nightly-2026-03-01-x").business_date == date(2026, 3, 1)
    with pytest.raises(NightFailed, match="is about 2026-03-01"):
        plan_night(settings, source, "shop", date(2026, 3, 2), "nightly-2026-03-01-x")


def test_a_second_night_of_a_source_waits_for_no_orphan(
    settings: Settings, night: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path, monkeypatch, "")

    def start_again(stage: Stage) -> None:
        with pytest.raises(NightFailed, match="another night of this source is still running"):
            run_dag(settings, night, NIGHTLY, lambda stage: None)

    stand_in(tmp_path, monkeypatch, "with stage('build_baskets', folder):\n    time.sleep(2)\n")
    run_dag(settings, night, NIGHTLY, start_again)


def test_an_interrupt_ends_every_process_of_the_night(
    settings: Settings, night: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = (
        "child = subprocess.Popen(['sleep', '600'])\n"
        "(folder / 'child').write_text(str(child.pid))\n"
        "with stage('train_model', folder):\n    time.sleep(600)\n"
    )
    stand_in(tmp_path, monkeypatch, body)

    def terminate(stage: Stage) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(KeyboardInterrupt):
        run_dag(settings, night, NIGHTLY, terminate)
    assert not _runs(int((night.folder / "child").read_text()))


def test_a_night_stopped_from_outside_ends_whole_and_may_be_taken_up_again(
    settings: Settings, night: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = (
        "child = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        "(folder / 'child').write_text(str(child.pid))\n"
        "with stage('train_model', folder):\n    time.sleep(600)\n"
    )
    stand_in(tmp_path, monkeypatch, body)
    stop = threading.Thread(target=stop_night, args=(night.folder.parent, night.name))
    with pytest.raises(NightFailed, match=f"train_model ended without a word[\\s\\S]*--resume {night.name}"):
        run_dag(settings, night, NIGHTLY, lambda stage: stop.start())
    stop.join()
    assert not _runs(int((night.folder / "child").read_text()))


def test_a_refused_night_leaves_no_folder(
    settings: Settings, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path, monkeypatch, "")
    refused = plan_night(settings, load_source("shop"), "shop", date(2026, 3, 1))
    with locked(workspace.runs), pytest.raises(NightFailed, match="still running"):
        run_dag(settings, refused, NIGHTLY, lambda stage: None)
    assert [path for path in workspace.runs.iterdir() if path.is_dir()] == []
    run_dag(settings, refused, NIGHTLY, lambda stage: None)
    assert refused.log.is_file()


def test_a_source_of_ones_own_without_files_is_an_error(settings: Settings, tmp_path: Path) -> None:
    described = tmp_path / "mine.toml"
    described.write_text(
        'name = "mine"\nfiles = "sales.csv"\ntimezone = "Europe/Berlin"\n[columns]\n'
        'sold_at = "t"\nproduct = "p"\ncustomer = "c"\nquantity = "q"\namount = "a"\n'
    )
    source = load_source(str(described))
    with pytest.raises(SourceError, match="no file matches"):
        prepare_files(source, Workspace.of(settings, "mine"), lambda text: None)


def _runs(pid: int) -> bool:
    try:
        psutil.Process(pid).wait(5)
    except psutil.NoSuchProcess:
        return False
    except psutil.TimeoutExpired:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False
