"""What the night found, at the end of the terminal's output: the worst alerts, the scorecard, where to look further."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from pipeline.evaluation.report import print_scorecard
from pipeline.nightly.night import Night
from pipeline.settings import Settings
from pipeline.stages import not_registered, read_stages
from pipeline.tasks.catalog import NEXT_BASKET
from pipeline.terminal import at_risk, print_table
from pipeline.workspace import TASKS_FOLDER

if TYPE_CHECKING:
    from pipeline.alerts.models import AnomalyAlert, StockoutAlert

WORST = 10
SHOWN_REMARKS = 12  # on a delivery
SHOWN_K = 10  # of each metric at several basket sizes; `larder model scorecard` shows all


def print_summary(settings: Settings, night: Night, source_name: str) -> None:
    """Print the ten worst stock-outs, the ten strangest customers, the scorecard and where to look further."""
    from pipeline.alerts.queries import open_alerts

    day = night.business_date
    stockouts = open_alerts(settings, kind="stockout", source=source_name, business_date=day, limit=WORST)
    anomalies = open_alerts(settings, kind="anomaly", source=source_name, business_date=day, limit=WORST)
    print_delivery(night)
    print_alerts(f"Running out, worst first, as of {day}", stockouts)
    print_alerts(f"Behaviour changed, strangest first, as of {day}", anomalies)
    print_training(night)
    print_pointers(night)


def print_training(night: Night) -> None:
    """The scorecard, or why there is no new model."""
    reason = not_registered(night.folder, NEXT_BASKET.name)
    if reason is None:
        print_scorecard(night.folder / TASKS_FOLDER / NEXT_BASKET.name, only_k=SHOWN_K)
    else:
        typer.echo(f"\nNo new model: {reason}")


def print_delivery(night: Night) -> None:
    """What was refused, skipped, set aside or did not come; nothing where all was well."""
    taken = [stage for stage in read_stages(night.folder) if stage.name == "ingest_transactions" and stage.details]
    details = taken[-1].details if taken else {}
    said = [f"{lines:,} lines refused: {reason}" for reason, lines in details.get("refused", {}).items()]
    said += [f"did not come: {day}" for day in details.get("missing_days", [])]
    said += [f"set aside: {why}" for why in details.get("quarantined", {}).values()]
    said += [f"skipped, since it is no delivery: {name}" for name in details.get("skipped", [])]
    share = details.get("share_without_customer", 0)
    said += [f"{share:.1%} of the lines have no customer; they count for stores and products only"] if share else []
    if said:
        typer.echo("\nThe delivery")
        for line in said[:SHOWN_REMARKS]:
            typer.echo(f"  {line}")
        if len(said) > SHOWN_REMARKS:
            typer.echo(f"  and {len(said) - SHOWN_REMARKS} more in {night.folder / 'stages.jsonl'}")


def print_alerts(title: str, alerts: "Sequence[StockoutAlert | AnomalyAlert]") -> None:
    """A row or a block of two lines per alert, in the order given."""
    if not alerts:
        typer.echo(f"\n{title}: none")
        return
    columns = dict.fromkeys(("id", "severity", "store", "what"), "left") | {"value at risk": "right", "why": "fold"}
    rows: list[list[object]] = [
        [alert.id, alert.severity, alert.store_id, subject(alert), value_at_risk(alert), alert.reason]
        for alert in alerts
    ]
    lines = "{id}  {severity}  store {store}  {value at risk}", "{what}: {why}"
    print_table(title, columns, rows, lines)


def subject(alert: "StockoutAlert | AnomalyAlert") -> str:
    """The product that runs out, or the customer (or store) whose behaviour changed."""
    from pipeline.alerts.models import StockoutAlert

    if isinstance(alert, StockoutAlert):
        return alert.product_name
    return f"{alert.funnel_kind} {alert.funnel_id}"


def value_at_risk(alert: "StockoutAlert | AnomalyAlert") -> str:
    """The money that a stock-out or a loss of behaviour puts at risk; `gain` where there is none."""
    return at_risk(alert.value_at_risk_cents, getattr(alert, "direction", None))


def print_pointers(night: Night) -> None:
    """Commands and places to look further."""
    source = f" --source {night.source}"
    pointers = {
        "all alerts": f"larder alerts list --kind stockout{source} (or anomaly; --csv FILE for a spreadsheet)",
        "why an alert": "larder alerts why ID",
        "a whole table": f"larder table predictions{source} --out predictions.parquet",
        "whole scorecard": f"larder model scorecard{source} --run-id {night.name}",
        "models, metrics": "make up, then MLflow's page",
        "this night's files": str(night.folder),
        "log": str(night.log),
    }
    typer.echo("\nWhere to look further (.venv/bin/larder, or larder in that environment)")
    for name, where in pointers.items():
        typer.echo(f"  {name:<20} {where}")
