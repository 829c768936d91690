"""A small part of the campaign, with every other test; and a campaign that finds a fault says so."""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from pkgutil import resolve_name

import pytest

from tests.campaign import __main__ as campaign
from tests.campaign import alert_stores, malformed
from tests.campaign.bench import Bench
from tests.campaign.jobs import steps
from tests.campaign.parts import PARTS, UNREASONED, Part


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, tmp_path / "shared", seed=7, seconds=2.0)


@pytest.mark.parametrize("name", ["lake", "alerts", "locks"])
def test_a_short_campaign_finds_no_fault(name: str, bench: Bench) -> None:
    counted = PARTS[name].run(bench)
    assert {fault: counted[fault] for fault in PARTS[name].faults} == dict.fromkeys(PARTS[name].faults, 0)
    assert counted["kills"] + counted["refused"] > 3, counted


def test_nights_published_at_once_are_there_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alert_stores, "ROUNDS", 3)
    counted = alert_stores.at_once(bench)
    assert {name: counted[name] for name in PARTS["at-once"].faults} == dict.fromkeys(PARTS["at-once"].faults, 0)


@pytest.mark.parametrize("what", [malformed.deliveries, malformed.models])
def test_what_is_malformed_is_refused_with_its_reason(bench: Bench, what: object) -> None:
    counted = what(bench)  # type: ignore[operator]
    assert (counted[UNREASONED], counted.total() >= 20) == (0, True)


def test_the_jobs_are_those_of_the_night() -> None:
    names = [step.name for step in steps()]
    assert names.index("validate_transactions") < names.index("build_baskets") < names.index("publish_alerts")
    assert {step.module for step in steps() if not step.module.startswith("spark_jobs.")} == {"pipeline.cli"}


@dataclass(frozen=True)
class Counted(Part):
    """A part that counted this."""

    found: Counter[str] = field(default_factory=Counter)

    def run(self, _bench: Bench) -> Counter[str]:
        return Counter(self.found)


def test_every_part_has_its_function() -> None:
    for part in PARTS.values():
        assert callable(resolve_name(f"tests.campaign.{part.where}")), part.name


@pytest.mark.parametrize(
    ("counted", "status"),
    [
        (Counter({"reads": 3, "half versions": 1}), campaign.STATUS_FAULT),
        (Counter({"reads": 3, campaign.UNFINISHED: 1}), campaign.STATUS_UNFINISHED),
        (Counter({"reads": 3, "half versions": 0}), 0),
    ],
)
def test_the_status_says_what_came_out(
    counted: Counter[str], status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Counted("lake", "broken", "kills:lake_attempts", ("half versions",), 0, found=counted)
    monkeypatch.setattr(campaign, "PARTS", {"lake": broken})
    with pytest.raises(SystemExit) as ended:
        campaign.main(["lake", "--seconds", "1", "--folder", str(tmp_path / "kept"), "--out", str(tmp_path)])
    assert ended.value.code == status
    rows, table = (tmp_path / "campaign" / "rows.json").read_text(), (tmp_path / "campaign.md").read_text()
    row = json.loads(rows)["lake"]
    is_cut = status == campaign.STATUS_UNFINISHED
    assert (row["is_done"], "cut off by time**" in table) == (not is_cut, is_cut)
    assert row["faults"] == ({} if is_cut else {"half versions": counted["half versions"]})
    if status == campaign.STATUS_FAULT:
        assert "1 half versions" in table
        assert (tmp_path / "kept" / "lake" / "1").is_dir(), "what a fault left is kept"
