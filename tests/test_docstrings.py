"""Examples in docstrings do what they show."""

import doctest
import importlib
from pathlib import Path

import pytest

from pipeline.settings import REPOSITORY

PACKAGES = ("models", "pipeline", "spark_jobs")


def _modules_with_examples() -> list[str]:
    files = (path for package in PACKAGES for path in sorted((REPOSITORY / package).rglob("*.py")))
    return [_module(path) for path in files if ">>> " in path.read_text()]


def _module(path: Path) -> str:
    return ".".join(path.relative_to(REPOSITORY).with_suffix("").parts)


@pytest.mark.parametrize("name", _modules_with_examples())
def test_examples_run(name: str) -> None:
    outcome = doctest.testmod(importlib.import_module(name))
    assert outcome.attempted > 0
    assert outcome.failed == 0
