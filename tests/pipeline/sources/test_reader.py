"""Records carry the physical line they start on, and one bad line never costs another."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.sources import csv_records
from pipeline.sources.layout import Layout
from pipeline.sources.opened import Delivered
from pipeline.sources.reader import read_file
from pipeline.sources.source import SourceError

COLUMNS = {"product": "sku", "quantity": "qty"}


def records(path: Path, layout: Layout | None = None) -> list[dict[str, Any]]:
    batches = read_file(Delivered(path, path.name), layout or Layout(), COLUMNS, hashes=True)
    return [record for batch in batches for record in batch.to_pylist()]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(st.text(alphabet='a\n",; é', max_size=6), st.text(alphabet='1\n"x', max_size=4))))
def test_what_a_csv_writer_writes_is_read_back_with_its_lines(tmp_path: Path, rows: list[tuple[str, str]]) -> None:
    path = tmp_path / "a.csv"
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    lines = []
    for row in [("sku", "qty"), *rows]:
        lines.append(written.getvalue().count("\n") + 1)
        writer.writerow(row)
    path.write_text(written.getvalue(), encoding="utf-8")
    found = records(path)
    # Blanks at the edges are no part of a value.
    assert [(record["product"], record["quantity"]) for record in found] == [
        tuple(value.strip() for value in row) for row in rows
    ]
    assert [record["source_line"] for record in found] == lines[1:]
    assert not any(record["problem"] for record in found)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(places=st.sets(st.integers(0, 30)), bad=st.sampled_from(['"open,1', "a", "a,1,2", '"a"b,1', "\udcff,1"]))
def test_a_bad_line_costs_itself_only(tmp_path: Path, places: set[int], bad: str) -> None:
    lines = [bad if number in places else f"p{number},{number}" for number in range(31)]
    path = tmp_path / "a.csv"
    path.write_bytes("\n".join(("sku,qty", *lines)).encode("utf-8", "surrogateescape"))
    found = {record["source_line"]: record for record in records(path)}
    assert sorted(found) == list(range(2, 33))
    assert {line - 2 for line, record in found.items() if record["problem"]} == places


def test_batches_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.csv"
    path.write_text('sku,qty\n\np1,1\n"p\n2",2\n"open,3\np4,4\np5\n"p6",6')
    whole = records(path)
    for size in range(1, 9):
        monkeypatch.setattr(csv_records, "BATCH_RECORDS", size)
        assert records(path) == whole
    assert [(record["source_line"], record["problem"]) for record in whole] == [
        (3, None), (4, None), (6, "column_count"), (7, None), (8, "column_count"), (9, None),
    ]  # fmt: skip


def test_equal_lines_have_equal_hashes_and_others_not(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("sku,qty,till\np,1,1\np,1,1\np,1,2\n")
    first, second, third = (record["line_hash"] for record in records(path))
    assert first == second != third


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "big5"])
def test_files_of_other_encodings_say_the_same(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.csv"
    product = "餅" if encoding == "big5" else "Käse"
    path.write_text(f"sku,qty\n{product},1\n", encoding=encoding)
    layout = Layout(encoding="utf-8" if encoding == "utf-8-sig" else encoding)
    assert [record["product"] for record in records(path, layout)] == [product]


def test_files_without_a_header_take_their_names_from_the_description(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("1|p\n")
    layout = Layout(delimiter="|", column_names=("qty", "sku"))
    assert [(record["source_line"], record["product"]) for record in records(path, layout)] == [(1, "p")]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"sku,amount\n", r"a\.csv: column 'qty' \(columns\.quantity\) is missing; there are: sku, amount"),
        ("a.csv", b"sku,qty,qty\n", "stands 2 times"),
        ("a.csv", b"", "no header line"),
        ("a.zip", b"PK nothing", r"a\.zip: cannot be read"),
        ("a.csv.gz", b"\x1f\x8bnothing", r"a\.csv\.gz: cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SourceError, match=message):
        records(path)
