"""The tables that the page shows, as SQL: a source's stock-out incidents and behaviour incidents.

A row is an incident, as of the night that showed it last; figures that only the alert has come from that night's alert.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Float, Select, case, cast, null, select

from pipeline.alerts.incident_models import CLOSED, RESOLVED, SHOWN_STATES, STATES, Incident
from pipeline.alerts.lifecycle import SNOOZED
from pipeline.alerts.models import KINDS, AnomalyAlert, StockoutAlert
from pipeline.page.columns import ANOMALIES, STOCKOUTS
from pipeline.page.rows import View
from pipeline.tables.sequences import FUNNEL_KINDS

INCIDENT = Incident.__table__.c
STOCKOUT, ANOMALY = StockoutAlert.__table__.c, AnomalyAlert.__table__.c
SCOPES = {"open": SHOWN_STATES, "snoozed": (SNOOZED,), "ended": (RESOLVED, CLOSED), "all": STATES}


def _incidents(source: str, kind: str, scope: str) -> Select[Any]:
    alert = KINDS[kind].__table__
    rows = select(Incident.__table__).join(alert, alert.c.id == INCIDENT.alert_id, isouter=True)
    rows = rows.where(INCIDENT.source == source, INCIDENT.kind == kind)
    return rows.where(INCIDENT.state.in_(SCOPES[scope])) if scope != "all" else rows


_COMMON = {
    "severity": INCIDENT.severity,
    "store": INCIDENT.store_id,
    "status": INCIDENT.state,
    "first_seen": INCIDENT.first_seen,
    "verdict": INCIDENT.verdict,
    "reason": INCIDENT.reason,
}
_HIDDEN = {"id": INCIDENT.id, "version": INCIDENT.version}


def stockouts(source: str, scope: str = "open") -> View:
    """Stock-outs, most lost sales first."""
    return View(
        columns=STOCKOUTS,
        fields=_COMMON
        | {
            "product": INCIDENT.name,
            "category": INCIDENT.category,
            "lost_sales": INCIDENT.value_at_risk_cents,
            "short_on": STOCKOUT.short_on,
            "units_short": STOCKOUT.units_short,
            "probability": STOCKOUT.probability,
            "on_hand": STOCKOUT.on_hand,
            "resupply": STOCKOUT.resupply,
            "resupply_on": STOCKOUT.resupply_on,
            "demand": STOCKOUT.demand,
            "demand_low": STOCKOUT.demand_p10,
            "demand_high": STOCKOUT.demand_p90,
            "days_of_cover": STOCKOUT.days_of_cover,
            "customers": STOCKOUT.n_customers,
        },
        rows=_incidents(source, "stockout", scope),
        key=INCIDENT.id,
        order=("lost_sales", "desc"),
        hidden=_HIDDEN,
    )


def anomalies(source: str, scope: str = "open", expected_back: Mapping[str, float] | None = None) -> View:
    """Anomalies, strangest first.

    Args: expected_back: units that are expected back from customers, by their ids.
    """
    return View(
        columns=ANOMALIES,
        fields=_COMMON
        | {
            "subject": INCIDENT.subject_id,
            "kind": INCIDENT.subject_kind,
            "observed_on": ANOMALY.observed_on,
            "score": ANOMALY.score,
            "direction": INCIDENT.direction,
            "monthly_value": INCIDENT.value_at_risk_cents,
            "expected_back": _of_customers(expected_back or {}),
        },
        rows=_incidents(source, "anomaly", scope),
        key=INCIDENT.id,
        order=("score", "desc"),
        hidden=_HIDDEN,
    )


def _of_customers(values: Mapping[str, float]) -> ColumnElement[Any]:
    """A value of some customers as SQL, so that it is filtered, sorted and exported like a column of the store."""
    if not values:
        return cast(null(), Float)
    of_customer = case(dict(values), value=INCIDENT.subject_id, else_=cast(null(), Float))
    return case((INCIDENT.subject_kind == FUNNEL_KINDS[0], of_customer), else_=cast(null(), Float))


VIEWS = {"stockouts": stockouts, "anomalies": anomalies}
