"""Every delivered line is accepted or refused with file, line and reason; a day delivered again replaces that day."""

import gzip
import os
import zipfile
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, Row, SparkSession

from pipeline.settings import Settings
from pipeline.sources.reader import Delivered
from pipeline.sources.source import Source, load_source
from pipeline.workspace import Workspace
from spark_jobs.delivered import read_delivered
from spark_jobs.ingest_transactions import main
from spark_jobs.line_checks import accepted, check_lines, judge_lines, rejected

HEADER = "day,store,card,receipt,sku,group,qty,total"
GOOD = "2026-02-01 10:00:00,s1,c1,b1,p1,g1,2,3.50"
LAST_DAY = date(2026, 2, 10)


@pytest.fixture
def toml(tmp_path: Path, settings: Settings) -> Callable[..., str]:
    """Write a description of sales/* under tmp_path; keyword arguments replace or add keys."""

    (tmp_path / "sales").mkdir()

    def write(**keys: object) -> str:
        given = {"name": "till", "files": "sales/*", "timezone": "Europe/Berlin", "session": "basket_id"} | keys
        lines = [
            f"{key} = {str(value).lower() if isinstance(value, bool) else repr(value)}" for key, value in given.items()
        ]
        columns = dict(zip(("sold_at", "store", "customer", "basket", "product", "category", "quantity", "amount"),
                           HEADER.split(","), strict=True))  # fmt: skip
        lines += ["[columns]", *(f'{ours} = "{theirs}"' for ours, theirs in columns.items())]
        path = tmp_path / "till.toml"
        path.write_text("\n".join(lines))
        return str(path)

    return write


def deliver(tmp_path: Path, name: str, *lines: str, header: str = HEADER) -> Path:
    path = tmp_path / "sales" / name
    path.write_text("\n".join((header, *lines)) + "\n")
    return path


def night(source: str, run_id: str = "run1", business_date: str = "2026-02-11", *, publish: bool = True) -> None:
    main(["--source", source, "--business-date", business_date, "--run-id", run_id])
    if publish:
        workspace(source).lake.publish("transactions", run_id)


def workspace(source: str) -> Workspace:
    return Workspace.of(Settings(), load_source(source).name)


def table(spark: SparkSession, source: str, name: str, run_id: str = "run1") -> list[Row]:
    frame = spark.read.parquet(str(workspace(source).lake.path(name, run_id)))
    return sorted(frame.collect(), key=lambda row: (row.source_file, row.source_line))


def judged(spark: SparkSession, source: Source, *paths: Path, last_day: date = LAST_DAY) -> DataFrame:
    files = [Delivered(path, path.name) for path in paths]
    raw = read_delivered(spark, files, source, source, source.columns.delivered())
    return judge_lines(check_lines(raw, source), source, last_day)


BAD_LINES = [
    ("2026-02-01 10:00:00,s1,c1,b1,p1,g1,2", "column_count", None),
    (GOOD + ",more", "column_count", None),
    ('"' + GOOD, "column_count", None),
    ("2026-02-01 10:00:00,s1,  ,b1,p1,g1,2,3.50", "missing_key", "card"),
    ("2026-02-01 10:00:00,s1,c1,b1,,g1,2,3.50", "missing_key", "sku"),
    ("2026-02-01 10:00:00,s1,c1,,p1,g1,2,3.50", "missing_key", "receipt"),
    ("2026-02-30 10:00:00,s1,c1,b1,p1,g1,2,3.50", "unparseable_date", "day"),
    ("yesterday,s1,c1,b1,p1,g1,2,3.50", "unparseable_date", "day"),
    ("2026-02-01 10:00:00,s1,c1,b1,p1,g1,two,3.50", "unparseable_number", "qty"),
    ("2026-02-01 10:00:00,s1,c1,b1,p1,g1,,3.50", "unparseable_number", "qty"),
    ("2026-02-01 10:00:00,s1,c1,b1,p1,g1,1d,3.50", "unparseable_number", "qty"),
    ("2026-02-01 10:00:00,s1,c1,b1,p1,g1,2,NaN", "not_a_number", "total"),
    ("2026-02-01 10:00:00,s1,c1,b1,p1,g1,-inf,3.50", "infinite", "qty"),
    ("2026-02-01 10:00:00,s1,c1,b1,p1,g1,2,1e400", "overflow", "total"),
    ("2026-02-01 10:00:00,s1,c1,b1,p1,g1,1000001,3.50", "overflow", "qty"),
    ("2026-02-01 10:00:00,s1,c1,b1,p1,g1,2,-3.50", "overflow", "total"),
    ("1826-02-01 10:00:00,s1,c1,b1,p1,g1,2,3.50", "overflow", "day"),
    ("2026-02-11 00:00:00,s1,c1,b1,p1,g1,2,3.50", "future_date", "day"),
    ("9026-02-01 10:00:00,s1,c1,b1,p1,g1,2,3.50", "future_date", "day"),
    (GOOD, "duplicate_line", None),
]


def test_each_bad_line_is_refused_for_its_reason_and_the_good_one_stays(
    spark: SparkSession, tmp_path: Path, toml: Callable[..., str]
) -> None:
    source = load_source(toml())
    path = deliver(tmp_path, "a.csv", GOOD, *(line for line, _, _ in BAD_LINES))
    lines = judged(spark, source, path)
    refused = {row.source_line: (row.reason, row.column_name) for row in rejected(lines).collect()}
    assert refused == {number: (reason, column) for number, (_, reason, column) in enumerate(BAD_LINES, start=3)}
    assert [row.source_line for row in accepted(lines).collect()] == [2]


def test_bytes_that_are_not_of_the_encoding_cost_their_line_only(
    spark: SparkSession, tmp_path: Path, toml: Callable[..., str]
) -> None:
    path = deliver(tmp_path, "a.csv", GOOD)
    path.write_bytes(path.read_bytes() + GOOD.replace("g1", "Käse").encode("cp1252") + b"\n")
    found = rejected(judged(spark, load_source(toml()), path)).collect()
    assert [(row.source_line, row.reason) for row in found] == [(3, "bad_encoding")]
    assert not rejected(judged(spark, load_source(toml(encoding="cp1252")), path)).collect()


@hypothesis_settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    garbage=st.lists(
        st.one_of(
            st.text(alphabet=st.sampled_from('",;\n\r 0aN-.é\x00'), max_size=40).map(str.encode),
            st.binary(max_size=40),
            st.tuples(st.sampled_from(GOOD.split(",")), st.sampled_from(["", "NaN", "1e999", '"', "x"])).map(
                lambda swap: GOOD.replace(*swap).encode()
            ),
        ),
        min_size=20,
        max_size=60,
    )
)
def test_rows_in_are_accepted_or_rejected_whatever_is_delivered(
    spark: SparkSession, tmp_path: Path, toml: Callable[..., str], garbage: list[bytes]
) -> None:
    source = load_source(toml())
    path = tmp_path / "sales" / "a.csv"
    path.write_bytes(b"\n".join((HEADER.encode(), GOOD.encode(), *garbage)) + b"\n")
    raw = read_delivered(spark, [Delivered(path, "a.csv")], source, source, source.columns.delivered()).collect()
    lines = judged(spark, source, path)
    taken, refused = accepted(lines).collect(), rejected(lines).collect()
    assert Counter(row.source_line for row in [*taken, *refused]) == Counter(row.source_line for row in raw)
    assert 2 in {row.source_line for row in taken}
    assert all(row.reason for row in refused)


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


def test_gzip_zip_and_parquet_hold_the_same_lines_as_csv(
    spark: SparkSession, tmp_path: Path, toml: Callable[..., str]
) -> None:
    text = "\n".join((HEADER, GOOD, GOOD.replace("p1", "p2"))) + "\n"
    (tmp_path / "a.csv").write_text(text)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(text.encode()))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.csv", text)
    names = HEADER.split(",")
    rows = [dict(zip(names, line.split(","), strict=True)) for line in text.splitlines()[1:]]
    for row in rows:
        row["day"] = datetime.fromisoformat(row["day"])
        row["qty"] = int(row["qty"])
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    read = {}
    for name in ("a.csv", "a.csv.gz", "a.zip", "a.parquet"):
        source = load_source(toml(format="parquet" if name.endswith("parquet") else "csv"))
        lines = accepted(judged(spark, source, tmp_path / name)).drop("source_file", "source_line")
        read[name] = sorted(map(tuple, lines.collect()))
    assert len(read["a.csv"]) == 2
    assert all(rows == read["a.csv"] for rows in read.values())


def test_local_times_keep_their_day_when_clocks_change(
    spark: SparkSession, tmp_path: Path, toml: Callable[..., str]
) -> None:
    utc = {
        "2026-01-15 12:00:00": datetime(2026, 1, 15, 11, tzinfo=UTC),
        "2026-07-15 12:00:00": datetime(2026, 7, 15, 10, tzinfo=UTC),
        "2026-03-29 02:30:00": datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
        "2026-10-25 02:30:00": datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        "2026-03-29 00:00:00": datetime(2026, 3, 28, 23, tzinfo=UTC),
    }
    path = deliver(tmp_path, "a.csv", *(GOOD.replace("2026-02-01 10:00:00", local) for local in utc))
    lines = accepted(judged(spark, load_source(toml()), path, last_day=date(2026, 12, 1))).orderBy("source_line")
    rows = lines.selectExpr("sold_on", "unix_timestamp(sold_at_utc) AS seconds").collect()
    assert [str(row.sold_on) for row in rows] == [local[:10] for local in utc]
    assert [row.seconds for row in rows] == [moment.timestamp() for moment in utc.values()]


def test_a_negative_quantity_is_a_return_with_positive_numbers(
    spark: SparkSession, tmp_path: Path, toml: Callable[..., str]
) -> None:
    path = deliver(tmp_path, "a.csv", GOOD.replace(",2,3.50", ",-2,-3.50"))
    row = accepted(judged(spark, load_source(toml()), path)).first()
    assert row is not None
    assert (row.is_return, row.quantity, row.amount_cents) == (True, 2.0, 350)


def test_money_and_units_are_read_as_the_source_writes_them(
    spark: SparkSession, tmp_path: Path, toml: Callable[..., str]
) -> None:
    line = GOOD.replace(",", ";").replace("3.50", "1.234,56")
    path = deliver(tmp_path, "a.csv", line, header=HEADER.replace(",", ";"))
    row = accepted(judged(spark, load_source(toml(delimiter=";", decimal=",", thousands=".")), path)).first()
    assert row is not None
    assert row.amount_cents == 123456


def test_a_day_delivered_again_replaces_that_day_and_no_other(
    spark: SparkSession, tmp_path: Path, toml: Callable[..., str]
) -> None:
    source = toml()
    deliver(tmp_path, "a.csv", GOOD, GOOD.replace("02-01", "02-02"))
    night(source)
    deliver(tmp_path, "b.csv", GOOD.replace("p1", "p9").replace("02-01", "02-02"))
    night(source, "run2", "2026-02-12")
    rows = table(spark, source, "transactions", "run2")
    assert [(str(row.sold_on), row.product_id) for row in rows] == [("2026-02-01", "p1"), ("2026-02-02", "p9")]
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


def test_store_days_keep_the_stores_that_did_not_deliver_again(
    spark: SparkSession, tmp_path: Path, toml: Callable[..., str]
) -> None:
    source = toml(redelivery="store_day")
    deliver(tmp_path, "a.csv", GOOD)
    deliver(tmp_path, "b.csv", GOOD.replace("s1", "s2"))
    night(source)
    deliver(tmp_path, "b.csv", GOOD.replace("s1", "s2").replace("p1", "p9"))
    night(source, "run2")
    rows = table(spark, source, "transactions", "run2")
    assert {(row.store_id, row.product_id) for row in rows} == {("s1", "p1"), ("s2", "p9")}


def test_a_file_that_changed_keeps_line_keys_unique(
    spark: SparkSession, tmp_path: Path, toml: Callable[..., str]
) -> None:
    source = toml()
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


@pytest.mark.parametrize("content", [b"", b"no gzip", gzip.compress((HEADER + "\n" + GOOD + "\n").encode() * 999)[:60]])
def test_a_file_that_cannot_be_read_is_named_and_nothing_is_published(
    spark: SparkSession, tmp_path: Path, toml: Callable[..., str], content: bytes
) -> None:
    source = toml()
    (tmp_path / "sales" / "a.csv.gz").write_bytes(content)
    with pytest.raises(SystemExit, match=r"a\.csv\.gz: "):
        night(source)
    assert workspace(source).lake.current("transactions") is None


def test_an_unknown_source_is_one_clear_error(settings: Settings) -> None:
    with pytest.raises(SystemExit, match="unknown source 'nowhere'; shipped: csv, shop, tafeng"):
        main(["--source", "nowhere", "--business-date", "2026-02-11", "--run-id", "run1"])
