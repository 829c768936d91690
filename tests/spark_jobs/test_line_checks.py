"""Every delivered line is accepted or refused with its reason, and says what the source's description makes of it."""

import gzip
import zipfile
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession

from pipeline.sources.opened import Delivered
from pipeline.sources.source import Source, load_source
from spark_jobs.delivered import read_delivered
from spark_jobs.line_checks import accepted, check_lines, refuse_future, refuse_repeated, rejected
from tests.spark_jobs.till import COLUMNS, GOOD, HEADER, deliver

LAST_DAY = date(2026, 2, 10)


def judged(spark: SparkSession, source: Source, *paths: Path, last_day: date = LAST_DAY) -> DataFrame:
    files = [Delivered(path, path.name) for path in paths]
    raw = read_delivered(spark, files, source, source, source.sales_columns)
    return refuse_repeated(refuse_future(check_lines(raw, source), source, last_day), source)


BAD_LINES = [
    ("2026-02-01 10:00:00,s1,c1,b1,p1,g1,2", "column_count", None),
    (GOOD + ",more", "column_count", None),
    ('"' + GOOD, "column_count", None),
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
    ("2026-02-01 10:00:00,s1,c1,b1,p1,g1,2,-3.50", "negative_amount", "total"),
    ("2026-02-01 10:00:00,s1,c1,b1,p1,g1,2,3.50-", "negative_amount", "total"),
    ("2026-02-01 10:00:00,s1,c1,b1,p1,g1,2,(3.50)", "negative_amount", "total"),
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
    raw = read_delivered(spark, [Delivered(path, "a.csv")], source, source, source.sales_columns).collect()
    lines = judged(spark, source, path)
    taken, refused = accepted(lines).collect(), rejected(lines).collect()
    assert Counter(row.source_line for row in [*taken, *refused]) == Counter(row.source_line for row in raw)
    assert 2 in {row.source_line for row in taken}
    assert all(row.reason for row in refused)


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
        lines = accepted(judged(spark, source, tmp_path / name)).drop("source_file", "source_line", "line_hash")
        read[name] = sorted(map(tuple, lines.collect()))
    assert len(read["a.csv"]) == 2
    assert all(rows == read["a.csv"] for rows in read.values())


def days_and_moments(spark: SparkSession, source: str, path: Path) -> list[tuple[str, datetime]]:
    """(sold_on, sold_at_utc) of the accepted lines, in order."""
    lines = accepted(judged(spark, load_source(source), path, last_day=date(2026, 12, 1))).orderBy("source_line")
    rows = lines.selectExpr("sold_on", "unix_timestamp(sold_at_utc) AS seconds").collect()
    return [(str(row.sold_on), datetime.fromtimestamp(row.seconds, UTC)) for row in rows]


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
    assert days_and_moments(spark, toml(), path) == [(local[:10], moment) for local, moment in utc.items()]


def test_a_day_whose_first_hour_clocks_skip_stays_that_day(
    spark: SparkSession, tmp_path: Path, toml: Callable[..., str]
) -> None:
    path = deliver(tmp_path, "a.csv", GOOD.replace("2026-02-01 10:00:00", "2018-11-04 00:30:00"))
    rows = days_and_moments(spark, toml(timezone="America/Sao_Paulo"), path)
    assert rows == [("2018-11-04", datetime(2018, 11, 4, 3, 30, tzinfo=UTC))]


def test_times_with_an_offset_are_moments_and_their_day_is_the_stores(
    spark: SparkSession, tmp_path: Path, toml: Callable[..., str]
) -> None:
    expected = {
        "2026-02-01T10:00:00+0100": ("2026-02-01", datetime(2026, 2, 1, 9, tzinfo=UTC)),
        "2026-02-01T10:00:00+01:00": ("2026-02-01", datetime(2026, 2, 1, 9, tzinfo=UTC)),
        "2026-02-01T23:30:00Z": ("2026-02-02", datetime(2026, 2, 1, 23, 30, tzinfo=UTC)),
        "2026-02-01T22:30:00-0500": ("2026-02-02", datetime(2026, 2, 2, 3, 30, tzinfo=UTC)),
        # The hour that occurs twice: an offset says which one is meant.
        "2026-10-25T02:30:00+02:00": ("2026-10-25", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        "2026-10-25T02:30:00+01:00": ("2026-10-25", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
    }
    path = deliver(tmp_path, "a.csv", *(GOOD.replace("2026-02-01 10:00:00", written) for written in expected))
    assert days_and_moments(spark, toml(time_format="%Y-%m-%dT%H:%M:%S%z"), path) == list(expected.values())


def test_a_time_without_the_offset_that_is_described_is_refused(
    spark: SparkSession, tmp_path: Path, toml: Callable[..., str]
) -> None:
    written = ["2026-02-01T10:00:00", "2026-02-01T10:00:00+25:00", "2026-02-01T10:00:00+01", "2026-02-01T10:00:00CET"]
    path = deliver(tmp_path, "a.csv", *(GOOD.replace("2026-02-01 10:00:00", each) for each in written))
    found = rejected(judged(spark, load_source(toml(time_format="%Y-%m-%dT%H:%M:%S%z")), path)).collect()
    assert [row.reason for row in found] == ["unparseable_date"] * len(written)


def test_a_line_says_what_its_customer_is_like(spark: SparkSession, tmp_path: Path, toml: Callable[..., str]) -> None:
    described = Path(toml())
    path = deliver(tmp_path, "a.csv", GOOD + ",30-39,7", GOOD + ", ,8", GOOD + ",,", header=HEADER + ",age,zip")
    described.write_text(described.read_text() + '\n[customers]\nattributes = { age_group = "age", area = "zip" }\n')
    rows = accepted(judged(spark, load_source(str(described)), path)).orderBy("source_line").collect()
    assert [row.customer_attributes for row in rows] == [["age_group=30-39", "area=7"], ["area=8"], None]


def test_a_negative_quantity_is_a_return_with_positive_numbers(
    spark: SparkSession, tmp_path: Path, toml: Callable[..., str]
) -> None:
    path = deliver(tmp_path, "a.csv", GOOD.replace(",2,3.50", ",-2,-3.50"))
    row = accepted(judged(spark, load_source(toml()), path)).first()
    assert row is not None
    assert (row.is_return, row.quantity, row.amount_cents) == (True, 2.0, 350)


def money_back(spark: SparkSession, source: str, *paths: Path) -> list[tuple[bool, float, int]]:
    """(is_return, quantity, amount_cents) of the accepted lines, in order."""
    rows = accepted(judged(spark, load_source(source), *paths)).orderBy("source_line").collect()
    return [(row.is_return, row.quantity, row.amount_cents) for row in rows]


def test_a_flag_says_what_is_a_return(spark: SparkSession, tmp_path: Path, toml: Callable[..., str]) -> None:
    flags = ["R", "r", "", "S"]
    path = deliver(tmp_path, "a.csv", *(GOOD.replace("g1", flag) for flag in flags), GOOD.replace(",2,", ",-2,"))
    columns = [name if name != "category" else "return_flag" for name in COLUMNS]
    source = toml(columns, returns="flag", return_flag_values=["R"])
    assert money_back(spark, source, path) == [(True, 2.0, 350), (True, 2.0, 350), (False, 2.0, 350), (False, 2.0, 350)]
    # Without its flag, less than nothing was bought.
    refused = rejected(judged(spark, load_source(source), path)).collect()
    assert [(row.source_line, row.reason, row.column_name) for row in refused] == [(6, "overflow", "qty")]


def test_a_basket_number_that_begins_with_the_prefix_is_a_return(
    spark: SparkSession, tmp_path: Path, toml: Callable[..., str]
) -> None:
    path = deliver(tmp_path, "a.csv", GOOD, *(GOOD.replace("b1", number) for number in ("C536379", "536379C", "c5")))
    source = toml(returns="basket_prefix")
    assert [is_return for is_return, _, _ in money_back(spark, source, path)] == [False, True, False, False]
    path = deliver(tmp_path, "a.csv", GOOD.replace("b1", "C536379").replace(",2,3.50", ",-2,-3.50"))
    assert money_back(spark, source, path) == [(True, 2.0, 350)]


def test_where_nothing_comes_back_a_negative_quantity_is_refused(
    spark: SparkSession, tmp_path: Path, toml: Callable[..., str]
) -> None:
    path = deliver(tmp_path, "a.csv", GOOD, GOOD.replace(",2,3.50", ",-2,-3.50"))
    found = rejected(judged(spark, load_source(toml(returns="none")), path)).collect()
    assert [(row.source_line, row.reason, row.column_name) for row in found] == [(3, "overflow", "qty")]


def test_a_unit_price_counts_once_per_unit(spark: SparkSession, tmp_path: Path, toml: Callable[..., str]) -> None:
    units = {"2": 700, "0.333": 117, "-2": 700, "0": 0}
    path = deliver(tmp_path, "a.csv", *(GOOD.replace(",2,", f",{each},") for each in units))
    columns = [*COLUMNS[:-1], "unit_price"]
    rows = money_back(spark, toml(columns), path)
    assert rows == [(float(each) < 0, abs(float(each)), cents) for each, cents in units.items()]
    assert [cents for _, _, cents in money_back(spark, toml(columns, money="cents"), path)] == [7, 1, 7, 0]


def test_a_unit_price_that_makes_the_line_too_dear_is_refused_at_its_column(
    spark: SparkSession, tmp_path: Path, toml: Callable[..., str]
) -> None:
    path = deliver(tmp_path, "a.csv", GOOD, GOOD.replace(",2,3.50", ",1000000,99999"), GOOD.replace("3.50", "-3.50"))
    found = rejected(judged(spark, load_source(toml([*COLUMNS[:-1], "unit_price"])), path)).collect()
    assert [(row.source_line, row.reason, row.column_name) for row in found] == [
        (3, "overflow", "total"),
        (4, "negative_amount", "total"),
    ]


def test_money_and_units_are_read_as_the_source_writes_them(
    spark: SparkSession, tmp_path: Path, toml: Callable[..., str]
) -> None:
    line = GOOD.replace(",", ";").replace("3.50", "1.234,56")
    path = deliver(tmp_path, "a.csv", line, header=HEADER.replace(",", ";"))
    row = accepted(judged(spark, load_source(toml(delimiter=";", decimal=",", thousands=".")), path)).first()
    assert row is not None
    assert row.amount_cents == 123456
