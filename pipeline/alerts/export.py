"""Alerts as CSV: every field, money in currency units, and cells that a spreadsheet cannot mistake for a formula."""

import csv
from collections.abc import Sequence
from typing import Any, TextIO

from pipeline.alerts.models import AnomalyAlert, StockoutAlert
from pipeline.terminal import harmless


def write_csv(alerts: Sequence[StockoutAlert | AnomalyAlert], columns: Sequence[str], file: TextIO) -> None:
    """Write the alerts; `value_at_risk_cents` becomes `value_at_risk`."""
    writer = csv.writer(file)
    writer.writerow(name.removesuffix("_cents") for name in columns)
    for alert in alerts:
        writer.writerow(_cell(name, getattr(alert, name)) for name in columns)


def _cell(name: str, value: Any) -> Any:
    if name.endswith("_cents"):
        return f"{value / 100:.2f}"
    return harmless(value) if isinstance(value, str) else value
