"""One alert in full: what it rests on, what a further delivery would change, and what became of it; or one case."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import parse_qs

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, dcc, html, no_update
from sqlalchemy.orm import Session

from models.days import short_day
from pipeline.alerts.causes import buyers, timeline
from pipeline.alerts.causes import history as basket_history
from pipeline.alerts.incident_models import Incident, IncidentEvent
from pipeline.alerts.incidents import history
from pipeline.alerts.models import KINDS, AnomalyAlert, StockoutAlert
from pipeline.alerts.store import AlertStoreError
from pipeline.alerts.what_if import deliver, described, read_shelf
from pipeline.lake.lake import LakeError
from pipeline.page import customers
from pipeline.page.acts import act_bar
from pipeline.page.case_detail import show_case
from pipeline.page.context import Context
from pipeline.page.figures import baskets_figure, graph, shelf_figure
from pipeline.page.frame import section
from pipeline.page.people import person
from pipeline.page.rows import LARGEST, RequestError
from pipeline.page.tables import facts

BUYERS_SHOWN = 15
PRODUCTS_SHOWN = 8
DAYS_SHOWN = 120


@dataclass(frozen=True)
class Found:
    """An incident, the alert of the night that showed it last, and its events."""

    incident: Incident
    alert: StockoutAlert | AnomalyAlert | None
    events: Sequence[IncidentEvent]


def register(app: Dash, context: Context) -> None:
    """Open the alert or case that the address names, and compute what-if."""

    @app.callback(
        Output("detail", "opened"),
        Output("detail", "title"),
        Output("detail", "children"),
        Input("url", "search"),
        Input("changed", "data"),
        State("source", "data"),
    )
    def show(search: str | None, _changed: int, source: str) -> tuple[Any, ...]:
        """The alert, the case or the customer whose id stands in the address; closed where none does."""
        named = parse_qs((search or "").removeprefix("?"))
        if case := named.get("case", [""])[0]:
            return True, *show_case(context, source, case)
        if customer := named.get("customer", [""])[0]:
            return True, *customers.story(context, source, customer)
        wanted = named.get("alert", [""])[0]
        if not wanted:
            return False, no_update, no_update
        found = find(context, wanted)
        if found is None:
            return True, "No such alert", dmc.Text(f"There is no alert {wanted} here. It may be of another database.")
        return True, title(found.incident), content(context, found)

    app.clientside_callback(
        "(opened) => opened ? dash_clientside.no_update : ''",
        Output("url", "search", allow_duplicate=True),
        Input("detail", "opened"),
        prevent_initial_call=True,
    )

    @app.callback(
        Output("what-if-figure", "figure"),
        Output("what-if-result", "children"),
        Input("what-if-units", "value"),
        Input("what-if-day", "value"),
        State("what-if-alert", "data"),
        prevent_initial_call=True,
    )
    def what_if(units: float | str | None, day: str, alert_id: str) -> tuple[Any, Any]:
        """The shelf with the delivery."""
        arrives_on, delivered = _delivery(day, units)
        with context.reading() as connection, Session(connection) as session:
            alert = session.get(StockoutAlert, alert_id) if isinstance(alert_id, str) else None
        if alert is None:
            raise RequestError("there is no such alert")
        return try_delivery(context, alert, arrives_on, delivered)


def _delivery(day: Any, units: Any) -> tuple[date, float]:
    """Day and units that a browser sends. Raises: RequestError: they are none."""
    try:
        arrives_on, delivered = date.fromisoformat(str(day)), float(units or 0)
    except (TypeError, ValueError):
        raise RequestError("the delivery's day or units are none") from None
    if not 0 <= delivered <= LARGEST:
        raise RequestError("the delivery's units are none")
    return arrives_on, delivered


def find(context: Context, incident_id: str) -> Found | None:
    """The incident with its alert and events; None where there is none of that id."""
    with context.reading() as connection, Session(connection, expire_on_commit=False) as session:
        incident = session.get(Incident, incident_id)
        if incident is None:
            return None
        alert: Any = session.get(KINDS[incident.kind], incident.alert_id) if incident.alert_id else None
        return Found(incident, alert, history(session, incident_id))


def title(incident: Incident) -> Any:
    """Name, where, how bad, what became of it."""
    where = ", ".join(part for part in (incident.category, f"store {incident.store_id}") if part)
    chips = [
        html.Span(incident.severity.capitalize(), className=f"chip tag severity chip-{incident.severity}"),
        html.Span(incident.state.capitalize(), className=f"chip tag status chip-{incident.state}", id="detail-status"),
    ]
    if incident.verdict:
        chips.append(html.Span(f"Verdict: {incident.verdict}", className="tag"))
    if incident.snoozed_until:
        chips.append(html.Span(f"until {incident.snoozed_until}", className="tag"))
    return html.Div(
        [html.Div(incident.name, className="subject"), html.Div([*chips, html.Span(where)], className="where")]
    )


def content(context: Context, found: Found) -> Any:
    """Everything below the title."""
    incident, alert = found.incident, found.alert
    parts: list[Any] = [dmc.Text(incident.reason, className="reason")]
    if person(context.settings).may_edit:
        parts.append(act_bar("detail", [(incident.id, incident.version)]))
    if alert is None:
        parts.append(dmc.Text("The night that showed this was published again without it.", c="dimmed"))
    elif isinstance(alert, StockoutAlert):
        parts += _stockout(context, alert)
    else:
        parts += _anomaly(context, alert)
    return dmc.Stack([*parts, section("What became of it", _events(found))], gap="md")


def try_delivery(context: Context, alert: StockoutAlert, day: date, units: float) -> tuple[Any, Any]:
    """The figure, and the table beside a verdict, for so many units more on that day."""
    lake = context.workspace(alert.source).lake
    shelf = read_shelf(lake, alert.run_id, alert.business_date, alert.store_id, alert.product_id)
    changed = deliver(shelf, day, units, context.settings.demand)
    _, verdict, rows = described(shelf, changed, day, units)
    compared = [[str(what).capitalize(), *values] for what, *values in rows]
    result = [
        dmc.Text(verdict, fw=600, size="sm", id="what-if-verdict"),
        facts(["", "As planned", "With it"], compared),
    ]
    return shelf_figure(shelf, changed, delivery=units), result


def _stockout(context: Context, alert: StockoutAlert) -> list[Any]:
    lake = context.workspace(alert.source).lake
    try:
        shelf = read_shelf(lake, alert.run_id, alert.business_date, alert.store_id, alert.product_id)
        figure, result = try_delivery(context, alert, alert.short_on, 0.0)
        held = buyers(lake, alert)
    except (LakeError, AlertStoreError) as error:
        return [_not_kept(error)]
    arrivals = [
        [short_day(day), f"{units:,.0f}"]
        for day, units in zip(shelf.horizon, shelf.shelves.arriving[0], strict=True)
        if units
    ]
    return [
        section(
            "Stock against demand",
            graph("what-if-figure", figure),
            dmc.Text("Shaded days: short with at least the configured probability.", size="xs", c="dimmed"),
        ),
        section(
            "What if more came?",
            dcc.Store(id="what-if-alert", data=alert.id),
            dmc.Group(
                align="end",
                mb=8,
                children=[
                    dmc.NumberInput(
                        id="what-if-units", label="Units", value=0, min=0, step=1, size="xs", w=110, debounce=400
                    ),
                    dmc.Select(
                        id="what-if-day",
                        label="Arriving before opening on",
                        data=[{"value": day.isoformat(), "label": short_day(day)} for day in shelf.horizon],
                        value=alert.short_on.isoformat(),
                        allowDeselect=False,
                        size="xs",
                        w=180,
                    ),
                ],
            ),
            html.Div(result, id="what-if-result"),
        ),
        section(
            "Deliveries under way",
            facts(["Day", "Units"], arrivals) if arrivals else dmc.Text("None within these days.", size="sm"),
        ),
        section(
            f"Predicted baskets that hold it: {len(held):,}",
            facts(
                ["Customer", "Expected on", "Probability", "Units if bought"],
                [
                    [one.customer_id, one.expected_on.isoformat(), f"{one.probability:.0%}", f"{one.quantity:.1f}"]
                    for one in held[:BUYERS_SHOWN]
                ],
            ),
            *_and_more(len(held) - BUYERS_SHOWN),
        ),
    ]


def _anomaly(context: Context, alert: AnomalyAlert) -> list[Any]:
    lake = context.workspace(alert.source).lake
    try:
        bought, predicted = timeline(lake, alert, DAYS_SHOWN)
        latest = basket_history(lake, alert)
    except LakeError as error:
        return [_not_kept(error)]
    rows = [
        [
            basket.day.isoformat(),
            f"predicted on {basket.predicted_on}" if basket.predicted_on else "bought",
            ", ".join(f"{units:.3g} x {name}" for name, units in basket.products[:PRODUCTS_SHOWN])
            + (f" and {len(basket.products) - PRODUCTS_SHOWN} more" if len(basket.products) > PRODUCTS_SHOWN else ""),
        ]
        for basket in latest
    ]
    return [
        section(
            "Baskets over time, against prediction",
            graph("baskets-figure", baskets_figure(bought, predicted)),
        ),
        section("Latest baskets", facts(["Day", "", "Products"], rows)),
    ]


def _events(found: Found) -> Any:
    items = [
        dmc.TimelineItem(
            title=event.action.replace("_", " ").capitalize() + (f": {event.detail}" if event.detail else ""),
            children=[
                dmc.Text(
                    f"{event.happened_at_utc:%Y-%m-%d %H:%M} UTC, {event.actor}"
                    + (f", night of {event.business_date}" if event.business_date else ""),
                    size="xs",
                    c="dimmed",
                ),
                *([dmc.Text(event.comment, size="sm", className="comment")] if event.comment else []),
            ],
        )
        for event in reversed(found.events)
    ]
    return dmc.Timeline(items, bulletSize=12, lineWidth=2, active=len(items), id="events")


def _and_more(number: int) -> list[Any]:
    return [dmc.Text(f"and {number:,} more", size="xs", c="dimmed")] if number > 0 else []


def _not_kept(error: Exception) -> Any:
    return dmc.Alert(str(error), title="The figures behind this alert are not here", color="gray")
