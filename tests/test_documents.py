"""The documents agree with the code: links, paths, commands and targets that they name exist."""

import re
import shlex
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import typer

from pipeline.cli import app
from pipeline.settings import REPOSITORY

GUIDES = [
    REPOSITORY / "README.md",
    REPOSITORY / "CONTRIBUTING.md",
    *(path for path in sorted((REPOSITORY / "docs").glob("*.md")) if path.name not in {"results.md", "tables.md"}),
]
# Decisions and results are of their day: what they name may be gone, what they link to may not.
DOCUMENTS = [*GUIDES, REPOSITORY / "CHANGELOG.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]

FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
ROOMS = ("dags", "docker", "docs", "models", "pipeline", "spark_jobs", "tests", ".ci")


def _name(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


def _prose(text: str) -> str:
    return FENCED.sub("", text)


def _anchor(heading: str) -> str:
    """GitHub's: lower case, no punctuation, hyphens for spaces."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def _code(text: str) -> Iterator[str]:
    """What a reader may type or open: each line of a console block, each inline span."""
    for language, block in FENCED.findall(text):
        if language == "console":
            yield from block.splitlines()
    for span in INLINE.findall(_prose(text)):
        yield " ".join(span.split())


def _larder(text: str) -> Iterator[list[str]]:
    """The words of every `larder` command, without comments, placeholders' brackets and `larder` itself."""
    for code in _code(text):
        if code.startswith("larder ") and "..." not in code:
            yield shlex.split(re.sub(r"[\[\]]", "", code), comments=True)[1:]


def _unknown(words: list[str]) -> str:
    """The first word that the command line does not know; empty where it knows all."""
    command: Any = typer.main.get_command(app)
    rest = list(words)
    while hasattr(command, "commands"):
        if command.invoke_without_command and rest and rest[0].startswith("-"):
            break
        if not rest or rest[0] not in command.commands:
            return rest[0] if rest else "nothing"
        command = command.commands[rest.pop(0)]
    if command.context_settings.get("ignore_unknown_options"):
        return ""
    known = set(chain.from_iterable(parameter.opts for parameter in command.params)) | {"--help"}
    return next((word for word in rest if re.match("--?[a-z]", word) and word.partition("=")[0] not in known), "")


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_links_lead_somewhere(document: Path) -> None:
    for target in LINK.findall(_prose(document.read_text())):
        if "://" in target or target.startswith("mailto:"):
            continue
        path, _, anchor = target.partition("#")
        linked = (document.parent / path).resolve() if path else document
        assert linked.exists(), target
        if anchor:
            headings = re.findall("^#+ (.*)$", _prose(linked.read_text()), re.MULTILINE)
            assert anchor in {_anchor(heading) for heading in headings}, target


@pytest.mark.parametrize("document", GUIDES, ids=_name)
def test_commands_exist_with_their_options(document: Path) -> None:
    for words in _larder(document.read_text()):
        assert _unknown(words) == "", f"larder {' '.join(words)}"


def test_a_command_that_does_not_exist_is_found() -> None:
    assert _unknown(["alerts", "list", "--kind", "stockout"]) == ""
    assert _unknown(["alerts", "liszt"]) == "liszt"
    assert _unknown(["simulate", "--days", "3"]) == ""
    assert _unknown(["simulate", "--dyas", "3"]) == "--dyas"
    assert _unknown(["alerts", "list", "--sort", "x"]) == "--sort"
    assert _unknown(["simulate", "--shop", "fashion"]) == ""
    assert _unknown(["simulate", "--shops", "fashion"]) == "--shops"
    assert _unknown(["airflow", "dags", "list-runs", "--anything"]) == ""
    block = "Run `larder table\nNAME`:\n```console\nlarder alerts why ID   # because\nmake test\n```\n"
    assert list(_larder(block)) == [["alerts", "why", "ID"], ["table", "NAME"]]


@pytest.mark.parametrize("document", GUIDES, ids=_name)
def test_targets_of_make_exist(document: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    named = {words[1] for code in _code(document.read_text()) if (words := code.split())[:1] == ["make"]}
    assert named <= targets


def test_make_help_lists_every_target() -> None:
    makefile = (REPOSITORY / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony is not None
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    described = set(re.findall(r"^([a-z-]+):.*## \S", makefile, re.MULTILINE))
    assert targets == described == set(phony[1].split())


@pytest.mark.parametrize("document", GUIDES, ids=_name)
def test_files_that_are_named_exist(document: Path) -> None:
    for code in _code(document.read_text()):
        path = code.removesuffix("/")
        if path.split("/")[0] in ROOMS and "/" in code and re.fullmatch(r"[\w./-]+", path) and "YYYY" not in path:
            assert (REPOSITORY / path).exists(), code


def test_readme_can_be_read_in_five_minutes() -> None:
    lines = (REPOSITORY / "README.md").read_text().splitlines()
    assert len(lines) <= 150
    assert max(map(len, lines)) <= 200, "a table's row at most"
