"""Alerts as CSV: every field, money in currency units, and cells that a spreadsheet cannot mistake for a formula."""

import csv
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from pipeline.alerts.models import Base
from pipeline.text import harmless


def columns_of(row: Base) -> dict[str, Any]:
    """The row's columns by name."""
    return {name: getattr(row, name) for name in row.__table__.columns.keys()}  # noqa: SIM118 # no mapping


def write_csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], file: TextIO) -> None:
    """Write these columns of the rows, empty where a row has none; `value_at_risk_cents` becomes `value_at_risk`."""
    writer = csv.writer(file)
    writer.writerow(name.removesuffix("_cents") for name in columns)
    for row in rows:
        writer.writerow(_cell(name, row.get(name)) for name in columns)


def _cell(name: str, value: Any) -> Any:
    if name.endswith("_cents") and value is not None:
        return f"{value / 100:.2f}"
    return harmless(value) if isinstance(value, str) else value
