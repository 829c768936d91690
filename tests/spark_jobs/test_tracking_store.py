"""A tracking store that does not answer keeps no alert back: what needs it says so, and the night goes on."""

import socket
from pathlib import Path

import pytest
from mlflow.exceptions import MlflowException
from typer.testing import CliRunner, Result

from pipeline.cli import app
from pipeline.evaluation.serving import usable_champion
from pipeline.settings import Settings
from pipeline.stages import not_registered, read_stages
from pipeline.tasks.catalog import NEXT_BASKET, TASKS
from pipeline.tracking.registry import Registry
from pipeline.workspace import Workspace
from spark_jobs import train_model
from tests.factories import BUSINESS_DATE

NIGHT = ("--source", "shop", "--business-date", str(BUSINESS_DATE), "--run-id", "run1")


@pytest.fixture
def closed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A store at a port where nothing listens, with a password in its address."""
    monkeypatch.setattr("pipeline.tracking.reachable.getproxies", dict)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setenv("LARDER_TRACKING_URI", f"http://larder:hidden@127.0.0.1:{port}")
    return Settings()


def promote(*options: str) -> Result:
    return CliRunner().invoke(app, ["model", "promote", *NIGHT, *options])


@pytest.mark.parametrize("task", sorted(TASKS))
def test_a_night_trains_nothing_and_goes_on(closed: Settings, workspace: Workspace, task: str) -> None:
    train_model.main([*NIGHT, "--task", task])
    last = read_stages(workspace.run_folder("run1"))[-1]
    assert (last.name, last.status) == ("train_model", "done")
    reason = not_registered(workspace.runs / "run1", task)
    assert reason is not None
    assert "does not answer (Connection refused)" in reason
    assert "hidden" not in reason

    done = promote("--unattended", "--task", task)
    assert (done.exit_code, done.stderr.count("\n")) == (0, 1), done.output
    assert done.stderr.startswith("no candidate was judged: the tracking store")
    assert read_stages(workspace.run_folder("run1"))[-1].details["reasons"] == [reason]
    by_hand = promote("--task", task)
    assert (by_hand.exit_code, by_hand.stderr.count("\n")) == (1, 1), by_hand.output


def test_a_night_predicts_without_the_champion_and_says_why(closed: Settings, workspace: Workspace) -> None:
    found = usable_champion(Registry(closed, "shop", NEXT_BASKET), workspace.task_folder("run1", NEXT_BASKET.name))
    assert found.champion is None
    assert found.details["champion"].startswith("no champion is used: the tracking store")


def test_a_store_that_fails_on_the_way_is_named(
    settings: Settings, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise MlflowException("(sqlite3.OperationalError) disk I/O error\nmore lines")

    monkeypatch.setattr(train_model, "train", fail)
    train_model.main([*NIGHT])
    reason = not_registered(workspace.runs / "run1", NEXT_BASKET.name)
    assert reason is not None
    assert reason.endswith("failed: (sqlite3.OperationalError) disk I/O error")


def test_a_store_that_cannot_be_opened_is_named(settings: Settings, workspace: Workspace) -> None:
    (Path(settings.data_dir) / "mlflow.db").mkdir(parents=True)
    train_model.main([*NIGHT])
    reason = not_registered(workspace.runs / "run1", NEXT_BASKET.name)
    assert reason is not None
    assert "mlflow.db cannot be opened (unable to open database file)" in reason
    found = usable_champion(Registry(settings, "shop", NEXT_BASKET), workspace.task_folder("run1", NEXT_BASKET.name))
    assert found.champion is None
    assert found.details["champion"].startswith("no champion is used: the tracking store")


def test_a_fault_of_ours_keeps_its_trace(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train_model, "train", lambda *_: {}["missing"])
    with pytest.raises(KeyError, match="missing"):
        train_model.main([*NIGHT])


def test_a_training_that_was_repeated_is_judged(settings: Settings, workspace: Workspace) -> None:
    """What was not registered then is no reason now."""
    folder = workspace.run_folder("run1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train_model, "train", lambda *_: (_ for _ in ()).throw(MlflowException("gone")))
        train_model.main([*NIGHT])
    assert not_registered(folder, NEXT_BASKET.name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train_model, "train", lambda job, _registry: job.record.details.update(task=NEXT_BASKET.name))
        train_model.main([*NIGHT])
    assert not_registered(folder, NEXT_BASKET.name) is None
