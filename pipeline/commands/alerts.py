"""`larder alerts`: publish a run's alerts, list them, say why, migrate the alert store; acts on them are mounted."""

from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.commands.csv_output import put_csv
from pipeline.commands.incidents import (
    Day,
    Kind,
    KindOption,
    Source,
    acknowledge,
    close,
    comment,
    digest,
    history,
    print_incidents,
    reopen,
    snooze,
    thresholds,
)
from pipeline.lake.lake import LakeError
from pipeline.nightly.summary import subject, value_at_risk
from pipeline.settings import Settings
from pipeline.sources.source import SourceError, load_source
from pipeline.stages import stage
from pipeline.terminal import errors_in_one_line, money, one_of, print_table
from pipeline.workspace import Run, Workspace

if TYPE_CHECKING:
    from pipeline.alerts.models import AnomalyAlert, StockoutAlert

app = typer.Typer(help="Stock-out and behaviour alerts: publish, list, explain.", no_args_is_help=True)

BUYERS_SHOWN = 20
PRODUCTS_SHOWN = 12


State = StrEnum("State", ["new", "ongoing", "acknowledged", "snoozed", "resolved", "closed"])


@app.command()
def publish(
    source: Annotated[str, typer.Option(help="a shipped source or the path to a TOML description")],
    business_date: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="the night")],
    run_id: Annotated[str, typer.Option(help="the run whose stock-outs and anomalies are published")],
) -> None:
    """Write a run's alerts to the alert store, all or nothing; a night published again is replaced."""
    from pipeline.alerts.digest import send_digest
    from pipeline.alerts.publish import PublishError, publish_alerts
    from pipeline.alerts.store import AlertStoreError

    with errors_in_one_line(SourceError, LakeError, PublishError, AlertStoreError, ValueError):
        settings = Settings()
        name = load_source(source).name
        workspace = Workspace.of(settings, name)
        run = Run(source, business_date.date(), run_id)
        with stage("publish_alerts", workspace.run_folder(run.run_id)) as record:
            published, is_new = publish_alerts(settings, workspace, name, run)
            record.rows_in = record.rows_out = published.stockouts + published.anomalies
            record.details |= {"stockouts": published.stockouts, "anomalies": published.anomalies, "changed": is_new}
            record.details["digest_sent"] = was_sent = send_digest(settings, name, run.business_date)
    typer.echo(
        f"{published.stockouts} stock-outs and {published.anomalies} anomalies of {name} for {published.business_date}"
        + ("" if is_new else ": published before, nothing changed")
    )
    if was_sent is False:
        typer.echo("the night's digest could not be sent to every address of LARDER_NOTIFY_URLS", err=True)


@app.command("list")
def list_alerts(
    *,
    kind: KindOption,
    source: Source = None,
    store: Annotated[str | None, typer.Option(help="only this store")] = None,
    category: Annotated[str | None, typer.Option(help="only products of this category")] = None,
    product: Annotated[str | None, typer.Option(help="only this product, by id or name")] = None,
    state: Annotated[
        list[State] | None,
        typer.Option(
            parser=one_of(State, "state"), metavar="|".join(State), help="in this state; default: open and not snoozed"
        ),
    ] = None,
    business_date: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="instead of incidents, the alerts of this night")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="only the worst")] = None,
    csv: Annotated[Path | None, typer.Option(help="write CSV to this file instead; - for standard output")] = None,
) -> None:
    """Open incidents that nobody snoozed, worst first, or with --business-date the alerts of one night."""
    from pipeline.alerts.export import columns_of
    from pipeline.alerts.incident_models import SHOWN_STATES
    from pipeline.alerts.narrowing import Only
    from pipeline.alerts.queries import open_alerts, open_incidents
    from pipeline.alerts.store import AlertStoreError

    only = Only(store, category, product)
    with errors_in_one_line(SourceError, AlertStoreError, OSError):
        settings = Settings()
        name = load_source(settings.source if source is None else source).name
        if business_date is not None:
            day = business_date.date()
            alerts = open_alerts(settings, kind=kind.value, source=name, business_date=day, only=only, limit=limit)
            if csv is None:
                _print_alerts(alerts, kind, name, day)
            else:
                _write_csv(csv, [columns_of(alert) for alert in alerts], kind)
            return
        states = [one.value for one in state or ()] or SHOWN_STATES
        found = open_incidents(settings, kind=kind.value, source=name, only=only, states=states, limit=limit)
        if csv is None:
            print_incidents([incident for incident, _alert in found], f"{kind.value} incidents of {name}")
        else:
            rows = [(columns_of(alert) if alert else {}) | columns_of(incident) for incident, alert in found]
            _write_csv(csv, rows, kind, incidents=True)


@app.command()
def why(
    alert: Annotated[str, typer.Argument(metavar="ID", help="an incident's or alert's id, or its beginning")],
    limit: Annotated[int, typer.Option(min=1, help="customers shown")] = BUYERS_SHOWN,
) -> None:
    """The predicted baskets that cause an alert."""
    from pipeline.alerts.models import StockoutAlert
    from pipeline.alerts.queries import find_alert
    from pipeline.alerts.store import AlertStoreError

    with errors_in_one_line(AlertStoreError, LakeError):
        settings = Settings()
        found = find_alert(settings, alert)
        workspace = Workspace.of(settings, found.source)
        _print_facts(found)
        if isinstance(found, StockoutAlert):
            _print_buyers(found, workspace, limit)
        else:
            _print_history(found, workspace)


@app.command("what-if")
def what_if(
    *,
    product: Annotated[str, typer.Option(help="the product's id")],
    store: Annotated[str, typer.Option(help="the store's id")],
    day: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="arriving before this day's opening")],
    units: Annotated[float, typer.Option(min=0, help="units delivered on top of what is planned")],
    source: Source = None,
    business_date: Day = None,
) -> None:
    """What a further delivery would change: the short days and the alert that go away, and what is still lost."""
    from pipeline.alerts.queries import publication
    from pipeline.alerts.store import AlertStoreError
    from pipeline.alerts.what_if import deliver, described, read_shelf

    with errors_in_one_line(SourceError, AlertStoreError, LakeError, ValueError):
        settings = Settings()
        name = load_source(settings.source if source is None else source).name
        published = publication(settings, name, business_date.date() if business_date else None)
        lake = Workspace.of(settings, name).lake
        shelf = read_shelf(lake, published.run_id, published.business_date, store, product)
        changed = deliver(shelf, day.date(), units, settings.demand)
        title, verdict, rows = described(shelf, changed, day.date(), units)
        print_table(title, {"": "left", "as planned": "right", "with the delivery": "right"}, rows)
        typer.echo(verdict)


for command in (acknowledge, snooze, close, reopen, comment, history, digest, thresholds):
    app.command()(command)


@app.command()
def migrate() -> None:
    """Bring the alert store to this version's tables (publishing does it by itself)."""
    from pipeline.alerts.store import AlertStoreError, opened, shown
    from pipeline.alerts.store import migrate as migrate_store

    with errors_in_one_line(AlertStoreError), opened(Settings()) as engine:
        typer.echo(f"{shown(engine.url)} is at revision {migrate_store(engine)}")


def _write_csv(path: Path, rows: list[dict[str, Any]], kind: Kind, *, incidents: bool = False) -> None:
    from pipeline.alerts.incident_models import Incident
    from pipeline.alerts.models import KINDS

    columns = KINDS[kind.value].__table__.columns.keys()
    if incidents:
        columns = list(dict.fromkeys([*Incident.__table__.columns.keys(), *columns]))
    put_csv(path, rows, columns, "incidents" if incidents else "alerts")


def _print_alerts(
    alerts: "list[StockoutAlert] | list[AnomalyAlert]", kind: Kind, source: str, business_date: date
) -> None:
    if not alerts:
        typer.echo(f"no {kind.value} alerts of {source} for {business_date}")
        return
    columns = {"#": "right", "id": "left", "severity": "left", "store": "left"}
    columns |= {"value at risk": "right", "what": "fold", "reason": "fold"}
    rows: list[list[object]] = []
    for one in alerts:
        value = value_at_risk(one)
        rows.append([one.rank, one.id, one.severity, one.store_id, value, subject(one), one.reason])
    lines = "{#}  {id}  {severity}  store {store}  {value at risk}", "{what}: {reason}"
    print_table(f"{kind.value} alerts of {source} for {business_date}", columns, rows, lines)


def _print_facts(alert: "StockoutAlert | AnomalyAlert") -> None:
    from pipeline.alerts.models import StockoutAlert

    facts: list[list[object]] = [
        ["reason", alert.reason],
        ["severity", f"{alert.severity}, rank {alert.rank} of its night"],
        ["value at risk", value_at_risk(alert)],
    ]
    if isinstance(alert, StockoutAlert):
        facts += [
            ["product", f"{alert.product_name} ({alert.product_id})"],
            ["store", alert.store_id],
            ["units short", f"{alert.units_short:.1f} with probability {alert.probability:.2f}"],
            [
                "stock and resupply",
                f"{alert.on_hand:g} on hand, {alert.resupply:g} arriving, demand {alert.demand:.1f}",
            ],
        ]
    else:
        facts.append(["in a usual month", money(alert.value_at_risk_cents)])
    facts += [
        ["night", f"{alert.business_date} of {alert.source}"],
        ["made by", f"run {alert.run_id}, model {alert.model_version}, data {alert.data_version}"],
    ]
    print_table(alert.id, {"": "left", " ": "fold"}, facts)


def _print_buyers(alert: "StockoutAlert", workspace: Workspace, limit: int) -> None:
    from pipeline.alerts.causes import buyers

    found = buyers(workspace.lake, alert)
    title = f"{len(found)} predicted baskets hold it within {alert.horizon_days} days" + (
        f"; the {limit} largest" if len(found) > limit else ""
    )
    rows: list[list[object]] = [
        [buyer.customer_id, buyer.expected_on, f"{buyer.probability:.3f}", f"{buyer.quantity:.1f}"]
        for buyer in found[:limit]
    ]
    print_table(title, {"customer": "left", "expected on": "left", "probability": "right", "units": "right"}, rows)


def _print_history(alert: "AnomalyAlert", workspace: Workspace) -> None:
    from pipeline.alerts.causes import history

    rows: list[list[object]] = [
        [
            f"predicted {basket.predicted_on}" if basket.predicted_on else "bought",
            basket.day,
            ", ".join(f"{units:.3g} x {name}" for name, units in basket.products[:PRODUCTS_SHOWN])
            + (f" and {len(basket.products) - PRODUCTS_SHOWN} more" if len(basket.products) > PRODUCTS_SHOWN else ""),
        ]
        for basket in history(workspace.lake, alert)
    ]
    title = f"{alert.funnel_kind} {alert.funnel_id}: latest baskets, and what was predicted"
    print_table(title, {"": "left", "day": "left", "products": "fold"}, rows)
