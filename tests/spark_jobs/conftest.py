"""Fixtures for the jobs."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from pipeline.settings import Settings
from tests.spark_jobs.till import describe


@pytest.fixture
def toml(tmp_path: Path, settings: Settings) -> Callable[..., str]:
    """Describes the files of sales/ under `tmp_path`."""
    (tmp_path / "sales").mkdir()
    return partial(describe, tmp_path)
