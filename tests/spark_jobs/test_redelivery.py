"""A delivery replaces what its own earlier version said, and nothing that was accepted is ever lost."""

from collections import Counter
from collections.abc import Callable
from datetime import date
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from pipeline.lake.lake import Manifest
from pipeline.settings import Settings
from pipeline.sources.source import load_source
from pipeline.workspace import Run, Workspace
from spark_jobs.ingest_transactions import ingest, main
from spark_jobs.validate_table import main as validate
from tests.spark_jobs.till import HEADER, deliver, describe

MORNING = date(2026, 2, 11)
_numbers = count()


def line(day: int, store: str, product: int) -> str:
    return f"2026-02-{day:02} 10:00:00,s{store},c{product},b{product},p{product},g1,2,3.50"


def night(spark: SparkSession, source: str) -> Manifest:
    """Take in what is new and let readers have it; no gate is asked."""
    described = load_source(source)
    workspace = Workspace.of(Settings(), described.name)
    run = Run(source, MORNING, f"run{next(_numbers)}")
    manifest = ingest(spark, described, workspace, run)
    for table in ("rejected_transactions", "transactions", "store_days"):
        workspace.lake.publish(table, run.run_id)
    return manifest


def sold(spark: SparkSession, source: str) -> Counter[tuple[str, str, str]]:
    """(day, store, product) of every accepted line."""
    lake = Workspace.of(Settings(), load_source(source).name).lake
    rows = spark.read.parquet(str(lake.path("transactions", lake.resolve("transactions")))).collect()
    assert len({(row.source_file, row.source_line) for row in rows}) == len(rows)
    return Counter((str(row.sold_on), row.store_id, row.product_id) for row in rows)


def keys(lines: list[str]) -> Counter[tuple[str, str, str]]:
    return Counter((text[:10], text.split(",")[1], text.split(",")[4]) for text in set(lines))


@pytest.fixture
def shop(tmp_path: Path, settings: Settings) -> Callable[..., tuple[str, Path]]:
    """A new source with a lake of its own, however often it is called: description and folder."""

    def new(**keys: object) -> tuple[str, Path]:
        folder = tmp_path / f"shop{next(_numbers)}"
        (folder / "sales").mkdir(parents=True)
        return describe(folder, **{"name": folder.name} | keys), folder

    return new


LINES = st.builds(line, st.integers(1, 4), st.sampled_from("12"), st.integers(1, 6))


@hypothesis_settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=st.lists(LINES, min_size=4, max_size=24),
    plan=st.tuples(st.lists(st.integers(0, 3), min_size=24, max_size=24), st.permutations([0, 1, 2, 2])),
    corrected=st.lists(LINES, min_size=1, max_size=8),
)
def test_any_split_into_files_and_nights_ends_in_the_same_and_a_corrected_file_replaces_itself(
    spark: SparkSession,
    shop: Callable[..., tuple[str, Path]],
    lines: list[str],
    plan: tuple[list[int], list[int]],
    corrected: list[str],
) -> None:
    """The plan: the file of each line, and the night of each file."""
    files, nights = plan
    source, folder = shop()
    parts: dict[int, list[str]] = {}
    for text, file in zip(lines, files, strict=False):
        parts.setdefault(file, []).append(text)
    for number in sorted(set(nights)):
        for file in (file for file, when in enumerate(nights) if when == number and file in parts):
            deliver(folder, f"{file}.csv", *parts[file])
        if any((folder / "sales").iterdir()):
            night(spark, source)
    assert sold(spark, source) == keys(lines)
    # Lines that other files repeated, and that were refused there, are not lost with the corrected file.
    changed = min(parts)
    deliver(folder, f"{changed}.csv", *corrected)
    manifest = night(spark, source)
    rest = [text for file, part in parts.items() if file != changed for text in part]
    assert sold(spark, source) == keys(rest + corrected)
    assert manifest.rows == sold(spark, source).total() == sum(manifest.details["lines_by_day"].values())


@pytest.mark.parametrize(
    ("redelivery", "expected"),
    [
        # A late line of day 1 in a file of another name, then a file that holds the newest days under its old name.
        ("file", [line(1, "2", 9), line(2, "1", 2), line(3, "1", 3)]),
        ("rolling_file", [line(1, "1", 1), line(1, "2", 9), line(2, "1", 2), line(3, "1", 3)]),
        ("store_day", [line(1, "1", 1), line(1, "2", 9), line(2, "1", 2), line(3, "1", 3)]),
        ("day", [line(1, "2", 9), line(2, "1", 2), line(3, "1", 3)]),
    ],
)
def test_each_rule_replaces_like_by_like(
    spark: SparkSession, shop: Callable[..., tuple[str, Path]], redelivery: str, expected: list[str]
) -> None:
    source, folder = shop(redelivery=redelivery)
    deliver(folder, "latest.csv", line(1, "1", 1), line(2, "1", 1))
    night(spark, source)
    deliver(folder, "late.csv", line(1, "2", 9))
    night(spark, source)
    deliver(folder, "latest.csv", line(2, "1", 2), line(3, "1", 3))
    night(spark, source)
    assert sold(spark, source) == keys(expected)


def test_a_delivery_number_replaces_the_same_number_only(
    spark: SparkSession, shop: Callable[..., tuple[str, Path]]
) -> None:
    source, folder = shop(redelivery="delivery_id")
    Path(source).write_text(Path(source).read_text() + '\ndelivery = "batch"\n')
    header = HEADER + ",batch"
    deliver(folder, "a.csv", line(1, "1", 1) + ",17", line(2, "1", 2) + ",17", line(1, "1", 3) + ",18", header=header)
    night(spark, source)
    deliver(folder, "b.csv", line(1, "1", 4) + ",17", line(1, "2", 5) + ",19", header=header)
    night(spark, source)
    assert sold(spark, source) == keys([line(1, "1", 3), line(1, "1", 4), line(1, "2", 5)])


def test_the_gate_stops_a_night_in_which_a_past_day_shrinks(
    spark: SparkSession, shop: Callable[..., tuple[str, Path]]
) -> None:
    source, folder = shop()
    deliver(folder, "a.csv", *(line(1, "1", product) for product in range(20)), line(1, "2", 1))
    night(spark, source)
    deliver(folder, "a.csv", *(line(1, "1", product) for product in range(7)), line(1, "2", 1))
    arguments = ["--source", source, "--business-date", str(MORNING), "--run-id", "short"]
    main(arguments)
    with pytest.raises(SystemExit, match=r"2026-02-01, store s1: 20 lines before, 7 after"):
        validate([*arguments, "--table", "transactions"])
    assert sold(spark, source).total() == 21


@pytest.mark.parametrize(
    ("good", "bad", "message"),
    [
        (0, 5, r"file sales/b\.csv: 5 of 5 lines cannot be used \(unparseable_number \(total\) 5\)"),
        (30, 8, r"file sales/b\.csv: 8 of 38 lines cannot be used"),
        (60, 3, None),
        (200, 10, None),
    ],
)
def test_the_gate_stops_a_night_of_which_too_little_can_be_used(
    spark: SparkSession, shop: Callable[..., tuple[str, Path]], good: int, bad: int, message: str | None
) -> None:
    source, folder = shop()
    deliver(folder, "a.csv", *(line(1, "1", product) for product in range(20)))
    night(spark, source)
    lines = [line(2, "1", product) for product in range(good)]
    lines += [line(2, "1", product).replace("3.50", '"3,50"') for product in range(bad)]
    deliver(folder, "b.csv", *lines)
    arguments = ["--source", source, "--business-date", str(MORNING), "--run-id", "second"]
    main(arguments)
    if message is None:
        validate([*arguments, "--table", "transactions"])
        return
    with pytest.raises(SystemExit, match=message):
        validate([*arguments, "--table", "transactions"])


def test_a_day_that_did_not_come_is_said_and_is_no_day_without_demand(
    spark: SparkSession, shop: Callable[..., tuple[str, Path]]
) -> None:
    source, folder = shop(files="sales/s_{date}.csv")
    for day in (1, 2, 3, 5, 9, 10):
        stores = "12" if day != 9 else "1"
        deliver(folder, f"s_2026-02-{day:02}.csv", *(line(day, store, 1) for store in stores))
    manifest = night(spark, source)
    assert manifest.details["missing_days"] == [
        "2026-02-04: no store's lines came",
        "2026-02-06: no store's lines came",
        "2026-02-07: no store's lines came",
        "2026-02-08: no store's lines came",
        "2026-02-09: no lines came of store s2",
    ]
