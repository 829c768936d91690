"""A small part of the campaign, with every other test; and a campaign that finds a fault says so."""

from collections import Counter
from pathlib import Path

import pytest

from tests.campaign import __main__ as campaign


@pytest.mark.parametrize("name", campaign.PROBES)
def test_a_short_campaign_finds_no_fault(name: str, tmp_path: Path) -> None:
    counted = campaign.PROBES[name](tmp_path, 7, 2.0)
    assert campaign.faults({name: counted}) == 0, counted
    assert counted["kills"] + counted["refused"] > 3, counted


def test_a_fault_ends_the_campaign_with_status_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign, "PROBES", {"broken": lambda folder, seed, seconds: Counter({"half versions": 1})})
    with pytest.raises(SystemExit, match="found faults"):
        campaign.main(["--seeds", "1", "--seconds", "0", "--out", str(tmp_path / "campaign.md")])
    assert "1 half versions" in (tmp_path / "campaign.md").read_text()
