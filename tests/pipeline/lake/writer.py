"""A writer of the lake for tests: each version is several small files that all say its name."""

from datetime import date
from pathlib import Path

from pipeline.lake.lake import Lake, Manifest

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
