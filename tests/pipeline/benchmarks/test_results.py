"""The page of results says what the kept files say."""

import json
from pathlib import Path

import pytest

from pipeline.benchmarks.results import FOLDER, PAGE, page, plot_reliability, reliabilities


def test_the_page_is_made_from_the_kept_files() -> None:
    assert PAGE.read_text() == page(), "run `make results`"


def test_every_kept_result_says_how_and_when_it_was_measured() -> None:
    for file in FOLDER.glob("*.json"):
        result = json.loads(file.read_text())
        assert result["command"].startswith("larder benchmark "), file.name
        assert result["measured_on"] > "2026", file.name


def test_a_file_of_no_benchmark_is_named(tmp_path: Path) -> None:
    (tmp_path / "speed_tafeng.json").write_text("{}")
    with pytest.raises(ValueError, match=r"speed_tafeng\.json: its name must begin with one of next_basket"):
        page(tmp_path)


def test_a_page_of_a_benchmark_of_its_own_follows_the_tables(tmp_path: Path) -> None:
    (tmp_path / "sessionize.md").write_text(
        "# Sessionizing\n\n| engine |\n\n## Where time goes\n[how](../operating.md)\n"
    )
    assert page(tmp_path).endswith("\n## Sessionizing\n\n| engine |\n\n### Where time goes\n[how](operating.md)\n")


def test_the_overview_comes_first(tmp_path: Path) -> None:
    for name in ("overview", "a_page", "sessionize"):
        (tmp_path / f"{name}.md").write_text(f"# The {name}\n")
    headings = [line for line in page(tmp_path).splitlines() if line.startswith("## ")]
    assert headings == ["## The overview", "## The a_page", "## The sessionize"]


def test_reliability_is_plotted_for_methods_with_probabilities(tmp_path: Path) -> None:
    bins = [{"predicted": 0.2, "observed": 0.25, "n": 8}, {"predicted": 0.8, "observed": 0.7, "n": 4}]
    result = {"models": {"lens": {"reliability": {"products": bins, "units": bins}}, "top": {"reliability": {}}}}
    assert reliabilities(result) == {"products": {"lens": bins}, "units": {"lens": bins}}
    plot_reliability(result, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
