"""What the night found, at the end of the terminal's output: the worst alerts, the scorecard, where to look further."""

import json

from rich import box
from rich.console import Console
from rich.table import Table

from pipeline.alerts.queries import open_alerts
from pipeline.evaluation.scorecard import Scorecard
from pipeline.nightly.night import Night
from pipeline.settings import Settings

WORST = 10


def print_summary(console: Console, settings: Settings, night: Night, source_name: str) -> None:
    """Print the ten worst stock-outs, the ten strangest customers, the scorecard and where to look further."""
    asked = {"source": source_name, "business_date": night.business_date}
    stockouts = open_alerts(settings, kind="stockout", limit=WORST, **asked)
    anomalies = open_alerts(settings, kind="anomaly", limit=WORST, **asked)
    _print_alerts(console, f"Running out, worst first, as of {night.business_date}", stockouts)
    _print_alerts(console, "Behaviour changed, strangest first", anomalies)
    _print_scorecard(console, night)
    _print_pointers(console, settings, night)


def _print_alerts(console: Console, title: str, alerts: list) -> None:
    if not alerts:
        console.print(f"\n{title}: none")
        return
    table = _table(title)
    for column in ("id", "store", "severity"):
        table.add_column(column, no_wrap=True)
    table.add_column("value at risk", justify="right", no_wrap=True)
    table.add_column("why", overflow="fold")
    for alert in alerts:
        value = "-" if alert.value_at_risk_cents is None else f"{alert.value_at_risk_cents / 100:,.2f}"
        table.add_row(str(alert.id), alert.store_id or "-", str(alert.severity), value, alert.reason)
    console.print(table)


def _print_scorecard(console: Console, night: Night) -> None:
    card = Scorecard.read(night.folder)
    window = f"{card.window.first_day} to {card.window.last_day}"
    table = _table(f"Scorecard: {card.customers:,} customers, held out {window}")
    metrics = list(dict.fromkeys(metric for values in card.models.values() for metric in values))
    table.add_column("model", no_wrap=True)
    for metric in metrics:
        table.add_column(metric, justify="right")
    for model, values in card.models.items():
        table.add_row(model, *(f"{values[metric]:.4f}" if metric in values else "-" for metric in metrics))
    console.print(table)
    decision = json.loads((night.folder / "promotion.json").read_text())
    verdict = "is champion" if decision["promoted"] else "was refused: " + "; ".join(decision["reasons"])
    console.print(f"The candidate {verdict}.")


def _print_pointers(console: Console, settings: Settings, night: Night) -> None:
    console.print("\nWhere to look further", style="bold")
    pointers = {
        "all alerts": "larder alerts list --kind stockout, or anomaly; --csv for a spreadsheet",
        "why an alert": "larder alerts why ID",
        "a whole table": "larder table predictions --out predictions.parquet",
        "this run": str(night.folder),
        "log": str(night.log),
        "models and metrics": "make up, then MLflow's page",
        "tables": str(night.folder.parent.parent / "lake"),
    }
    for name, where in pointers.items():
        console.print(f"  {name:<20} {where}", soft_wrap=True, highlight=False)


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
