"""Lines are taken in with file, line and reason; unchanged files and days are left alone."""

import gzip
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from pyspark.sql import Row, SparkSession

from pipeline.settings import Settings
from pipeline.sources.source import load_source
from pipeline.workspace import Workspace
from spark_jobs.ingest_transactions import main
from tests.spark_jobs.till import GOOD, HEADER, deliver


def night(source: str, run_id: str = "run1", business_date: str = "2026-02-11", *, publish: bool = True) -> None:
    main(["--source", source, "--business-date", business_date, "--run-id", run_id])
    if publish:
        workspace(source).lake.publish("transactions", run_id)


def workspace(source: str) -> Workspace:
    return Workspace.of(Settings(), load_source(source).name)


def table(spark: SparkSession, source: str, name: str, run_id: str = "run1") -> list[Row]:
    frame = spark.read.parquet(str(workspace(source).lake.path(name, run_id)))
    return sorted(frame.collect(), key=lambda row: (row.source_file, row.source_line))


def test_the_manifest_counts_every_line_of_every_file(
    spark: SparkSession, tmp_path: Path, toml: Callable[..., str]
) -> None:
    source = toml()
    deliver(tmp_path, "a.csv", GOOD, "bad")
    deliver(tmp_path, "b.csv", GOOD.replace("b1", "b2"))
    night(source)
    manifest = workspace(source).lake.manifest("transactions", "run1")
    assert {name: manifest.details[name] for name in ("rows_in", "accepted", "rejected")} == {
        "rows_in": 3, "accepted": 2, "rejected": 1,
    }  # fmt: skip
    assert [(row.source_file, row.source_line) for row in table(spark, source, "rejected_transactions")] == [
        ("sales/a.csv", 3)
    ]


def test_late_lines_join_their_day_and_other_days_are_linked(
    spark: SparkSession, tmp_path: Path, toml: Callable[..., str]
) -> None:
    source = toml()
    deliver(tmp_path, "a.csv", GOOD, GOOD.replace("02-01", "02-02"))
    night(source)
    deliver(tmp_path, "b.csv", GOOD.replace("p1", "p9").replace("02-01", "02-02"))
    night(source, "run2", "2026-02-12")
    rows = table(spark, source, "transactions", "run2")
    assert [(str(row.sold_on), row.product_id) for row in rows] == [
        ("2026-02-01", "p1"), ("2026-02-02", "p1"), ("2026-02-02", "p9"),
    ]  # fmt: skip
    before, after = (
        next(workspace(source).lake.path("transactions", run).glob("sold_on=2026-02-01/*.parquet"))
        for run in ("run1", "run2")
    )
    assert before.samefile(after)


def test_files_of_one_delivery_add_up_on_the_same_day(
    spark: SparkSession, tmp_path: Path, toml: Callable[..., str]
) -> None:
    source = toml()
    deliver(tmp_path, "a.csv", GOOD)
    deliver(tmp_path, "b.csv", GOOD.replace("s1", "s2"))
    night(source)
    assert [row.store_id for row in table(spark, source, "transactions")] == ["s1", "s2"]


def test_a_file_that_changed_keeps_line_keys_unique(
    spark: SparkSession, tmp_path: Path, toml: Callable[..., str]
) -> None:
    source = toml(redelivery="rolling_file")
    deliver(tmp_path, "latest.csv", GOOD, "bad")
    night(source)
    deliver(tmp_path, "latest.csv", GOOD.replace("02-01", "02-02"), "bad")
    night(source, "run2")
    for name, count in (("transactions", 2), ("rejected_transactions", 2)):
        rows = table(spark, source, name, "run2")
        assert len({(row.source_file, row.source_line) for row in rows}) == len(rows) == count


def test_unchanged_files_are_not_read_again_even_when_touched(
    spark: SparkSession, tmp_path: Path, toml: Callable[..., str]
) -> None:
    source = toml()
    path = deliver(tmp_path, "a.csv", GOOD, "bad")
    night(source)
    os.utime(path, (1, 1))
    night(source, "run2")
    for name in ("transactions", "rejected_transactions"):
        assert table(spark, source, name, "run2") == table(spark, source, name)
    assert workspace(source).lake.manifest("transactions", "run2").details["files_read"] == 0


def test_a_run_repeated_from_scratch_is_identical(
    spark: SparkSession, tmp_path: Path, toml: Callable[..., str]
) -> None:
    deliver(tmp_path, "a.csv", GOOD, GOOD, "bad")
    source, other = toml(), str(tmp_path / "other.toml")
    Path(other).write_text(Path(source).read_text().replace("till", "other"))
    for each in (source, other):
        night(each)
    for name in ("transactions", "rejected_transactions"):
        assert table(spark, source, name) == table(spark, other, name)


def test_what_a_refused_run_left_behind_is_not_counted_twice(
    spark: SparkSession, tmp_path: Path, toml: Callable[..., str]
) -> None:
    source = toml()
    deliver(tmp_path, "a.csv", GOOD, "bad")
    night(source, "run1", publish=False)
    night(source, "run2")
    assert len(table(spark, source, "transactions", "run2")) == 1
    assert len(table(spark, source, "rejected_transactions", "run2")) == 1


def test_an_old_night_takes_later_days_in_but_a_typing_error_stays_out(
    spark: SparkSession, tmp_path: Path, toml: Callable[..., str]
) -> None:
    source = toml()
    lines = [
        GOOD.replace("02-01", f"02-{day:02}").replace("p1", product)
        for day in range(1, 29)
        for product in ("p1", "p2", "p3")
    ]
    deliver(tmp_path, "a.csv", *lines, GOOD.replace("2026", "2062"))
    night(source, business_date="2026-02-05")
    assert max(row.sold_on for row in table(spark, source, "transactions")) == date(2026, 2, 28)
    assert [row.reason for row in table(spark, source, "rejected_transactions")] == ["future_date"]


def test_a_missing_column_is_one_clear_error_and_nothing_is_published(
    spark: SparkSession, tmp_path: Path, toml: Callable[..., str]
) -> None:
    source = toml()
    deliver(tmp_path, "a.csv", GOOD, header=HEADER.replace("sku", "article"))
    with pytest.raises(SystemExit, match=r"a\.csv: column 'sku' \(columns\.product\) is missing"):
        night(source)
    assert workspace(source).lake.current("transactions") is None
    assert workspace(source).lake.current("rejected_transactions") is None


CUT_SHORT = gzip.compress((HEADER + "\n" + GOOD + "\n").encode() * 999)[:60]


@pytest.mark.parametrize("content", [b"", b"no gzip", CUT_SHORT], ids=["empty", "no_gzip", "cut_short"])
def test_a_file_that_cannot_be_read_is_named_and_nothing_is_published(
    spark: SparkSession, tmp_path: Path, toml: Callable[..., str], content: bytes
) -> None:
    source = toml()
    (tmp_path / "sales" / "a.csv.gz").write_bytes(content)
    with pytest.raises(SystemExit, match=r"a\.csv\.gz: "):
        night(source)
    assert workspace(source).lake.current("transactions") is None


def test_an_unknown_source_is_one_clear_error(settings: Settings) -> None:
    with pytest.raises(SystemExit, match="unknown source 'nowhere'; known: csv, fashion, sales, shop, tafeng"):
        main(["--source", "nowhere", "--business-date", "2026-02-11", "--run-id", "run1"])
