"""Notices: the log always, people when configured, and never a failure of their own."""

import logging
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from pipeline.orchestration import notices


class _Messenger:
    """Stands for apprise.Apprise, which lives in Airflow's environment only."""

    sent: list[str]
    addresses: list[str]
    works: bool

    def add(self, address: str) -> bool:
        self.addresses.append(address)
        return True

    def notify(self, title: str, body: str) -> bool:
        self.sent.append(f"{title}: {body}")
        return self.works


@pytest.fixture
def messenger(monkeypatch: pytest.MonkeyPatch) -> type[_Messenger]:
    made = type("Messenger", (_Messenger,), {"sent": [], "addresses": [], "works": True})
    apprise = ModuleType("apprise")
    apprise.Apprise = made  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "apprise", apprise)
    for name in ("LARDER_NOTIFY_URLS", "LARDER_NOTIFY_URLS_FILE"):
        monkeypatch.delenv(name, raising=False)
    return made


def test_nobody_is_told_by_default_but_the_log_is(
    messenger: type[_Messenger], caplog: pytest.LogCaptureFixture
) -> None:
    notices.send("late", "run r1")
    assert messenger.sent == []
    assert "late. run r1" in caplog.text


def test_a_failed_task_is_named_to_every_address(
    messenger: type[_Messenger], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "addresses").write_text("mailto://a:secret@x\n\njson://y\n")
    monkeypatch.setenv("LARDER_NOTIFY_URLS_FILE", str(tmp_path / "addresses"))
    for dag, task in (("nightly", "build_baskets"), ("segments", "segment_funnels")):
        instance = SimpleNamespace(dag_id=dag, task_id=task, run_id="r1")
        notices.report_failure({"task_instance": instance, "exception": "boom"})
    assert messenger.addresses == ["mailto://a:secret@x", "json://y"] * 2
    assert messenger.sent == [
        "Larder: the night failed: build_baskets of r1 failed: boom",
        "Larder: segments failed: segment_funnels of r1 failed: boom",
    ]


def test_a_notice_that_cannot_be_sent_is_logged_without_its_address(
    messenger: type[_Messenger], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    messenger.works = False
    monkeypatch.setenv("LARDER_NOTIFY_URLS", "mailto://a:secret@x")
    with caplog.at_level(logging.DEBUG):
        notices.send("late", "run r1")
    assert "could not be sent" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize("state", ["running", "failed"])
def test_a_late_run_is_named_with_its_state(
    state: str, messenger: type[_Messenger], caplog: pytest.LogCaptureFixture
) -> None:
    notices.report_late({"dag_run": {"dag_run_id": "r1", "run_type": "scheduled", "state": state}})
    assert f"r1 passed its deadline and is {state}" in caplog.text


def test_a_backfilled_run_is_never_late(messenger: type[_Messenger], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LARDER_NOTIFY_URLS", "mailto://x")
    notices.report_late({"dag_run": {"dag_run_id": "r1", "run_type": "backfill", "state": "queued"}})
    assert messenger.sent == []
