"""The index of decisions is complete, and a superseded page and the one that supersedes it name each other."""

import re

import pytest

from pipeline.settings import REPOSITORY

FOLDER = REPOSITORY / "docs" / "decisions"
INDEX = (FOLDER / "README.md").read_text(encoding="utf-8")
PAGES = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")


@pytest.mark.parametrize("page", [path.name for path in PAGES])
def test_every_decision_has_one_line_of_its_day_in_the_index(page: str) -> None:
    lines = [line for line in INDEX.splitlines() if line.startswith("| 20") and f"({page})" in line.split(" | ")[1]]
    assert len(lines) == 1, f"docs/decisions/README.md: one line for {page}"
    assert lines[0].startswith(f"| {page[:10]} |")


def test_superseded_pages_name_their_successors_and_are_named_by_them() -> None:
    found = 0
    for path in PAGES:
        first = path.read_text(encoding="utf-8").split("\n\n")[:4]
        for paragraph in (each for each in first if each.startswith("Superseded")):
            found += 1
            successors = re.findall(r"\]\(([^)]+)\)", paragraph)
            assert successors, f"{path.name} is superseded by no page"
            (line,) = (line for line in INDEX.splitlines() if line.startswith("| 20") and f"({path.name})" in line)
            for name in successors:
                assert f"({path.name})" in (FOLDER / name).read_text(encoding="utf-8"), (
                    f"{name} does not name {path.name}"
                )
                assert f"({name})" in line, f"the index does not say that {name} supersedes {path.name}"
    assert found
