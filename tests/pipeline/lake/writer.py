"""A writer of the lake for tests: each version is several small files that all say its name."""

from contextlib import suppress
from datetime import date
from pathlib import Path

from pipeline.lake.lake import Lake, LakeError, Manifest

FILES = 8
NIGHT = date(2026, 3, 1)
TABLE = "products"


def stage(lake: Lake, version: str, business_date: date = NIGHT, table: str = TABLE) -> Path:
    """Write a version aside, completely."""
    folder = lake.stage(table, version)
    folder.mkdir()
    for number in range(FILES):
        (folder / f"part-{number}").write_text(version)
    lake.describe(Manifest(table=table, version=version, business_date=business_date, rows=FILES))
    return folder


def publish(lake: Lake, version: str, business_date: date = NIGHT, table: str = TABLE) -> None:
    """Write a version and publish it."""
    stage(lake, version, business_date, table)
    lake.publish(table, version)


def read(lake: Lake, table: str = TABLE) -> str:
    """What a reader sees now; AssertionError unless it is one version, whole."""
    version = lake.resolve(table)
    parts = [path.read_text() for path in lake.path(table, version).iterdir()]
    assert parts == [version] * FILES
    return version


def publish_for_ever(root: Path, prefix: str) -> None:
    """Publish one version after another until killed."""
    lake, number = Lake(root), 0
    while True:
        publish(lake, f"{prefix}-{number:05d}")
        number += 1


def attempt_for_ever(root: Path) -> None:
    """One of several attempts at the same runs, as an orphan and its retry; what one is refused the other makes."""
    lake, number = Lake(root), 0
    while True:
        with suppress(LakeError):
            publish(lake, f"run{number:05d}")
        number += 1
