"""Times, ids, amounts and files as tills, spreadsheets, pandas and databases really write them."""

import gzip
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from pipeline.sources.last_day import last_day
from pipeline.sources.source import load_source
from pipeline.sources.time_format import has_offset
from pipeline.stages import read_stages
from pipeline.workspace import Workspace
from spark_jobs.ingest_transactions import main
from spark_jobs.line_checks import accepted, rejected
from tests.spark_jobs.test_line_checks import days_and_moments, judged
from tests.spark_jobs.till import GOOD, HEADER, deliver

AT = "2026-02-01 10:00:00"


def moment(year: int, month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


SECONDS = "%Y-%m-%d %H:%M:%S"
TIMES = [
    ("%Y-%m-%dT%H:%M:%SZ", "2026-02-01T23:30:00Z", "2026-02-02", moment(2026, 2, 1, 23, 30)),
    (f"{SECONDS} UTC", "2026-02-01 10:00:00 UTC", "2026-02-01", moment(2026, 2, 1, 10)),
    (f"{SECONDS}.%f", "2026-02-01 10:00:00.1234567", "2026-02-01", moment(2026, 2, 1, 9)),
    (f"{SECONDS}.%f", "2026-02-01 10:00:00.123456789", "2026-02-01", moment(2026, 2, 1, 9)),
    (f"{SECONDS}.%f%z", "2026-02-01 10:00:00.1234567+01:00", "2026-02-01", moment(2026, 2, 1, 9)),
    ("%d.%m.%y", "03.01.97", "1997-01-03", moment(1997, 1, 2, 23)),
    ("%y%m%d", "000229", "2000-02-29", moment(2000, 2, 28, 23)),
]


@pytest.mark.parametrize("case", TIMES, ids=[written for _, written, _, _ in TIMES])
def test_a_time_is_read_alike_everywhere(
    spark: SparkSession, tmp_path: Path, toml: Callable[..., str], case: tuple[str, str, str, datetime]
) -> None:
    time_format, written, day, at = case
    source = toml(time_format=time_format)
    path = deliver(tmp_path, "a.csv", GOOD.replace(AT, written))
    assert days_and_moments(spark, source, path) == [(day, at)]
    if not has_offset(time_format):
        assert str(last_day(load_source(source), Workspace(tmp_path / "lake"))) == day


@pytest.mark.parametrize("written", ["02.01.70", "01.06.99", "31.12.00", "29.02.68", "01.01.30"])
def test_years_of_two_digits_are_those_of_strptime(
    spark: SparkSession, tmp_path: Path, toml: Callable[..., str], written: str
) -> None:
    path = deliver(tmp_path, "a.csv", GOOD.replace(AT, written))
    checked = judged(spark, load_source(toml(time_format="%d.%m.%y")), path, last_day=date(2100, 1, 1))
    (row,) = accepted(checked).collect()
    assert row.sold_on == datetime.strptime(written, "%d.%m.%y").date()


def test_a_line_without_a_customer_is_a_sale(spark: SparkSession, tmp_path: Path, toml: Callable[..., str]) -> None:
    marks = ["", " ", "\u00a0", "\t", "NULL", "null", "None", "NaN", "N/A", "\\N", "0", "-1"]
    path = deliver(tmp_path, "a.csv", *(GOOD.replace("c1", mark) for mark in marks), GOOD.replace("c1", "-10"))
    rows = accepted(judged(spark, load_source(toml(duplicates="keep")), path)).orderBy("source_line").collect()
    assert [row.customer_id for row in rows] == [None] * len(marks) + ["-10"]


def test_all_spellings_of_an_id_are_one(spark: SparkSession, tmp_path: Path, toml: Callable[..., str]) -> None:
    spellings = ["17850", "17850.0", " 17850", "17850\u00a0", "\u200b17850.00", "17850\t"]
    path = deliver(tmp_path, "a.csv", *(GOOD.replace("c1", each).replace("p1", each) for each in spellings))
    rows = accepted(judged(spark, load_source(toml(duplicates="keep")), path)).collect()
    assert {(row.customer_id, row.product_id) for row in rows} == {("17850", "17850")}
    assert len(rows) == len(spellings)


def test_negative_amounts_are_refused_by_name_or_taken_as_discounts(
    spark: SparkSession, tmp_path: Path, toml: Callable[..., str]
) -> None:
    path = deliver(tmp_path, "a.csv", *(GOOD.replace("3.50", each) for each in ("-0.50", "0.50-", "(0.50)", "0.50")))
    refused = rejected(judged(spark, load_source(toml(duplicates="keep")), path)).collect()
    assert [(row.reason, row.column_name) for row in refused] == [("negative_amount", "total")] * 3
    source = load_source(toml(duplicates="keep", negative_amounts="discount"))
    rows = accepted(judged(spark, source, path)).orderBy("source_line").collect()
    assert [(row.quantity, row.amount_cents, row.is_return) for row in rows] == [(0.0, -50, False)] * 3 + [
        (2.0, 50, False)
    ]
    # What is brought back is a return, whatever the rule.
    path = deliver(tmp_path, "b.csv", GOOD.replace(",2,3.50", ",-2,-3.50"))
    (row,) = accepted(judged(spark, source, path)).collect()
    assert (row.quantity, row.amount_cents, row.is_return) == (2.0, 350, True)


def test_what_is_no_product_is_refused_for_that(spark: SparkSession, tmp_path: Path, toml: Callable[..., str]) -> None:
    ids = ["POST", "post", "BAG-17", "B.G", "BOG", "POSTER"]
    path = deliver(tmp_path, "a.csv", *(GOOD.replace("p1", each) for each in ids))
    lines = judged(spark, load_source(toml(not_products=["POST", "BAG-*", "B.G"])), path)
    assert [(row.reason, row.value) for row in rejected(lines).orderBy("source_line").collect()] == [
        ("not_a_product", each) for each in ids[:4]
    ]


def test_a_constant_stands_in_for_a_column_that_is_not_there(
    spark: SparkSession, tmp_path: Path, toml: Callable[..., str]
) -> None:
    described = Path(toml())
    text = described.read_text().replace('store = "store"\n', "").replace('quantity = "qty"\n', "")
    described.write_text(text + '\n[constants]\nstore = "s7"\nquantity = "1"\n')
    (row,) = accepted(judged(spark, load_source(str(described)), deliver(tmp_path, "a.csv", GOOD))).collect()
    assert (row.store_id, row.quantity) == ("s7", 1.0)


def test_a_broken_file_is_set_aside_with_its_reason_until_it_can_be_read(
    spark: SparkSession, tmp_path: Path, toml: Callable[..., str]
) -> None:
    source = toml(unreadable_files="quarantine")
    lake = Workspace(tmp_path / "var" / "till").lake
    deliver(tmp_path, "s1.csv", GOOD)
    whole = gzip.compress("\n".join((HEADER, *(GOOD.replace("b1", f"b{n}") for n in range(9000)))).encode())
    (tmp_path / "sales" / "s2.csv.gz").write_bytes(whole[:3000])
    (tmp_path / "sales" / "s3.csv").write_bytes(b"")
    (tmp_path / "sales" / "s4.csv").write_text("no,such,columns\n")
    arguments = ["--source", source, "--business-date", "2026-02-11", "--run-id"]
    main([*arguments, "run1"])
    lake.publish("transactions", "run1")
    details = read_stages(Workspace(tmp_path / "var" / "till").run_folder("run1"))[-1].details
    assert sorted(details["quarantined"]) == ["sales/s2.csv.gz", "sales/s3.csv", "sales/s4.csv"]
    refused = spark.read.parquet(str(lake.path("rejected_transactions", "run1"))).collect()
    assert {(row.source_file, row.reason) for row in refused} == {
        (each, "unreadable_file") for each in details["quarantined"]
    }
    assert spark.read.parquet(str(lake.path("transactions", "run1"))).count() == 1
    (tmp_path / "sales" / "s2.csv.gz").write_bytes(whole)
    deliver(tmp_path, "s3.csv", GOOD.replace("s1", "s3"))
    (tmp_path / "sales" / "s4.csv").unlink()
    main([*arguments, "run2"])
    assert spark.read.parquet(str(lake.staged_path("transactions", "run2"))).count() == 9001
    assert spark.read.parquet(str(lake.path("rejected_transactions", "run2"))).count() == 1  # b1 of s2 is that of s1
