"""Files are opened as they are, what is no delivery is skipped, and another encoding is named with the key to set."""

import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sources.layout import Layout
from pipeline.sources.leftovers import is_leftover
from pipeline.sources.opened import Delivered, skipped_members
from pipeline.sources.reader import check_readable, read_file
from pipeline.sources.source import SourceError

COLUMNS = {"product": "sku", "quantity": "qty"}


def read(path: Path, **layout: Any) -> list[tuple[int, str, str]]:
    """(line, product, quantity) of each record."""
    batches = read_file(Delivered(path, path.name), Layout.model_validate(layout), COLUMNS)
    rows = [record for batch in batches for record in batch.to_pylist()]
    return [(row["source_line"], row["product"], row["quantity"]) for row in rows if not row["problem"]]


def write(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "a.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize(
    ("text", "layout", "lines"),
    [
        ("sep=;\nsku;qty\np;1\n", {}, [(3, "p", "1")]),
        ('"sep=\t"\r\nsku\tqty\r\np\t1\r\n', {"delimiter": ";"}, [(3, "p", "1")]),
        ("SEP=|\nsku|qty\np|1\n", {"delimiter": ","}, [(3, "p", "1")]),
        ("Sales\nJanuary\n\nsku,qty\np,1\n", {"skip_lines": 3}, [(5, "p", "1")]),
        ("# by till 3\nsku,qty\n# 10 o'clock\np,1\n", {"comment": "#"}, [(4, "p", "1")]),
        ("sku   qty\n  p \t 1  \nq 2\n", {"delimiter": "whitespace"}, [(2, "p", "1"), (3, "q", "2")]),
        ("sku,qty\na\\,b,1\nc\\\\,2\n", {"escape": "\\"}, [(2, "a,b", "1"), (3, "c\\", "2")]),
        ("sku,qty\n'a,b',1\n", {"quote": "'"}, [(2, "a,b", "1")]),
        ("sku\np\n", {"constants": {"quantity": "3"}}, [(2, "p", "3")]),
    ],
)
def test_a_dialect_is_read_as_described(
    tmp_path: Path, text: str, layout: dict[str, Any], lines: list[tuple[int, str, str]]
) -> None:
    assert read(write(tmp_path, text), **layout) == lines


@pytest.mark.parametrize(
    ("written", "described", "named"),
    [
        ("utf-16", "utf-8", "utf-16"),
        ("utf-16-le", "utf-8", "utf-16-le"),
        ("utf-16-be", "cp1252", "utf-16-be"),
        ("utf-8-sig", "cp1252", "utf-8"),
        ("utf-32", "utf-8", "utf-32"),
    ],
)
def test_a_file_of_another_encoding_names_it_and_the_key(
    tmp_path: Path, written: str, described: str, named: str
) -> None:
    path = write(tmp_path, "sku,qty\np,1\n", written)
    with pytest.raises(SourceError, match=rf'a\.csv: is written in {named}, .* set `encoding = "{named}"`') as error:
        check_readable(Delivered(path, "a.csv"), Layout(encoding=described), COLUMNS)
    assert "\0" not in str(error.value)
    assert read(path, encoding=named) == [(2, "p", "1")]


def parquet() -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({"sku": ["p"], "qty": ["1"]}), out)
    return out.getvalue()


def old_workbook() -> bytes:
    return bytes.fromhex("d0cf11e0a1b11ae1") + bytes(64)


def gzipped() -> bytes:
    return gzip.compress(b"sku,qty\np,1\n")


def workbook() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("xl/worksheets/sheet1.xml", "<worksheet/>")
    return out.getvalue()


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (parquet, 'a Parquet file, not CSV; set `format = "parquet"`'),
        (workbook, "a zip archive or an Excel workbook, not CSV; .* save the sheet as CSV"),
        (old_workbook, "an Excel workbook, not CSV; save the sheet as CSV"),
        (gzipped, "compressed with gzip; its name must end in .gz"),
    ],
)
@pytest.mark.parametrize("inside", [False, True], ids=["alone", "in an archive"])
def test_a_file_that_is_no_text_is_named_for_what_it_is(
    tmp_path: Path, made: Callable[[], bytes], said: str, inside: bool
) -> None:
    path = tmp_path / ("a.zip" if inside else "a.csv")
    if inside:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.csv", made())
    else:
        path.write_bytes(made())
    with pytest.raises(SourceError, match=rf"a\.csv: is {said}") as error:
        check_readable(Delivered(path, path.name), Layout(), COLUMNS)
    assert str(error.value).isprintable()


@pytest.mark.parametrize("column", ["PAR1", "PK", "PK3"])
def test_a_column_that_is_called_like_a_mark_is_a_column(tmp_path: Path, column: str) -> None:
    assert read(write(tmp_path, f"{column},sku,qty\nx,p,1\n")) == [(2, "p", "1")]


@given(name=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,8}\.(csv|csv\.gz|zip|parquet|txt)", fullmatch=True))
def test_locks_hidden_files_and_half_copies_are_no_deliveries(name: str) -> None:
    assert not is_leftover(name)
    for other in (f".{name}", f"._{name}", f"~${name}", f".~lock.{name}#", f"{name}.part", f"{name}~", f"{name}.tmp"):
        assert is_leftover(other)
    assert is_leftover(f"__MACOSX/{name}")
    assert is_leftover("Thumbs.db")


def test_an_archive_of_a_mac_is_its_one_file_and_the_rest_is_named(tmp_path: Path) -> None:
    path = tmp_path / "feb.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("feb.csv", "sku,qty\np,1\n")
        archive.writestr("__MACOSX/._feb.csv", b"\x00\x05\x16\x07")
        archive.writestr(".DS_Store", b"\x00")
    assert read(path) == [(2, "p", "1")]
    assert skipped_members(path) == ["__MACOSX/._feb.csv", ".DS_Store"]


MOMENT = 1770000000  # 2026-02-02 02:40:00 UTC, 21:40 of the day before in New York


def times(path: Path, **layout: Any) -> list[str]:
    described = Layout.model_validate({"format": "parquet"} | layout)
    batches = read_file(
        Delivered(path, path.name),
        described,
        {"sold_at": "t"},
        time_format="%Y-%m-%d %H:%M",
        timezone="America/New_York",
    )
    return [value for batch in batches for value in batch.column("sold_at").to_pylist()]


def test_int96_times_are_refused_until_the_description_says_their_zone(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    table = pa.table({"t": pa.array([MOMENT * 10**9], pa.timestamp("ns"))})
    pq.write_table(table, path, use_deprecated_int96_timestamps=True)
    with pytest.raises(SourceError, match=r"column 't' holds INT96 times.*parquet_times"):
        check_readable(Delivered(path, "a.parquet"), Layout(format="parquet"), {"sold_at": "t"})
    assert times(path, parquet_times="utc") == ["2026-02-01 21:40"]
    assert times(path, parquet_times="local") == ["2026-02-02 02:40"]


def test_naive_parquet_times_are_local_unless_they_are_said_to_be_utc(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"t": pa.array([MOMENT * 10**6], pa.timestamp("us"))}), path)
    assert times(path) == ["2026-02-02 02:40"]
    assert times(path, parquet_times="utc") == ["2026-02-01 21:40"]
    pq.write_table(pa.table({"t": pa.array([MOMENT * 10**6], pa.timestamp("us", "UTC"))}), path)
    assert times(path) == ["2026-02-01 21:40"]


@pytest.mark.parametrize("kind", [pa.float64(), pa.float32(), pa.int64(), pa.decimal128(12, 2), pa.string()])
def test_ids_in_parquet_are_the_same_whatever_their_type(tmp_path: Path, kind: pa.DataType) -> None:
    path = tmp_path / "a.parquet"
    ids = pa.array(["17850", None], pa.string()).cast(kind)
    pq.write_table(pa.table({"sku": ids, "qty": pa.array([1, 2])}), path)
    assert read(path, format="parquet") == [(1, "17850", "1"), (2, None, "2")]
