"""Files that spreadsheets open: numbers and dates are such, and no cell runs."""

import csv
import io
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from pipeline.page.columns import Column
from pipeline.page.export import write_csv, write_xlsx
from pipeline.text import harmless

COLUMNS = (
    Column("name", "Name", "text", 100),
    Column("lost", "Lost", "money", 100),
    Column("day", "Day", "date", 100),
    Column("chance", "Chance", "share", 100),
)
EVIL = ["=cmd|' /C calc'!A0", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\x00=1", "\x1b[31m", "＝1"]


def test_a_workbook_holds_numbers_and_dates(tmp_path: Path) -> None:
    write_xlsx(COLUMNS, [("Oats", 123456, date(2026, 3, 1), 0.5), ("Rye", None, None, None)], tmp_path / "a.xlsx", "a")
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx").active
    heading, first, second = sheet.iter_rows()
    assert [cell.value for cell in heading] == ["Name", "Lost", "Day", "Chance"]
    assert [cell.value for cell in second] == ["Rye", None, None, None]
    assert (first[1].value, first[1].number_format) == (1234.56, "#,##0.00")
    assert first[2].is_date
    assert first[2].value.date() == date(2026, 3, 1)
    assert (first[3].value, first[3].number_format) == (0.5, "0%")


@pytest.mark.parametrize("text", EVIL)
def test_no_cell_runs(text: str, tmp_path: Path) -> None:
    row = (text, 0, date(2026, 3, 1), 0.0)
    write_xlsx(COLUMNS, [row], tmp_path / "a.xlsx", "a")
    cell = openpyxl.load_workbook(tmp_path / "a.xlsx").active["A2"]
    assert cell.data_type == "s"
    assert cell.value == harmless(text)
    file = io.StringIO(newline="")
    write_csv(COLUMNS, [row], file)
    *_, written = csv.reader(io.StringIO(file.getvalue(), newline=""))
    assert written[0] == harmless(text)


def test_harmless_text_stays_as_it_is() -> None:
    file = io.StringIO(newline="")
    write_csv(COLUMNS, [("Käse, 5 % Fett", 5, None, 0.25)], file)
    assert file.getvalue().splitlines()[1] == '"Käse, 5 % Fett",0.05,,0.25'
