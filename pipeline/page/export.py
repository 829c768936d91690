"""The filtered rows of a table as a file: CSV, or a workbook with real numbers and dates, in the order shown."""

import csv
import tempfile
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, TextIO

import xlsxwriter

from pipeline.page.columns import Column
from pipeline.text import harmless

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_NUMBERS = {"number": "#,##0", "units": "#,##0.0", "money": "#,##0.00", "share": "0%", "date": "yyyy-mm-dd"}
_PIXELS_PER_CHARACTER = 8


def write_csv(columns: Sequence[Column], rows: Iterable[Sequence[Any]], file: TextIO) -> None:
    """Headings, then the rows; money in currency units with two decimals."""
    writer = csv.writer(file)
    writer.writerow(column.heading for column in columns)
    for row in rows:
        writer.writerow(_as_text(column, value) for column, value in zip(columns, row, strict=True))


def write_xlsx(columns: Sequence[Column], rows: Iterable[Sequence[Any]], path: Path, title: str) -> None:
    """A workbook with one sheet, its headings frozen and filterable; no text in it is ever a formula or a link."""
    options = {
        "constant_memory": True,
        "tmpdir": tempfile.gettempdir(),
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"title": title})
        sheet = book.add_worksheet(title[:31])
        bold = book.add_format({"bold": True, "bottom": 1})
        formats = {kind: book.add_format({"num_format": text}) for kind, text in _NUMBERS.items()}
        for place, column in enumerate(columns):
            sheet.set_column(place, place, column.width / _PIXELS_PER_CHARACTER)
            sheet.write_string(0, place, column.heading, bold)
        last = 0
        for last, row in enumerate(rows, start=1):
            for place, (column, value) in enumerate(zip(columns, row, strict=True)):
                if value is None:
                    continue
                if column.kind == "date":
                    sheet.write_datetime(last, place, value, formats["date"])
                elif column.is_number:
                    sheet.write_number(last, place, _in_units(column, value), formats[column.kind])
                else:
                    sheet.write_string(last, place, harmless(str(value)))
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, last, len(columns) - 1)


def _in_units(column: Column, value: float) -> float:
    return value / 100 if column.kind == "money" else value


def _as_text(column: Column, value: Any) -> Any:
    if value is None:
        return ""
    if column.kind == "money":
        return f"{value / 100:.2f}"
    if isinstance(value, date):
        return value.isoformat()
    return harmless(value) if isinstance(value, str) else value
