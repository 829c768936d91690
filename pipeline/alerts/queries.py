"""Queries of the alert store."""

from collections.abc import Sequence
from datetime import date
from typing import Literal, overload

from sqlalchemy import Engine, func, nulls_last, select
from sqlalchemy.orm import Session

from pipeline.alerts.incident_models import SHOWN_STATES, Incident
from pipeline.alerts.models import KINDS, AnomalyAlert, Publication, StockoutAlert
from pipeline.alerts.narrowing import ALL, Only, of_alerts, of_incidents, refuse_unknown
from pipeline.alerts.store import AlertStoreError, check_published, opened
from pipeline.settings import Settings
from pipeline.workspace import Workspace


@overload
def open_alerts(
    settings: Settings,
    *,
    kind: Literal["stockout"],
    source: str,
    business_date: date | None = None,
    only: Only = ALL,
    limit: int | None = None,
) -> list[StockoutAlert]: ...


@overload
def open_alerts(
    settings: Settings,
    *,
    kind: Literal["anomaly"],
    source: str,
    business_date: date | None = None,
    only: Only = ALL,
    limit: int | None = None,
) -> list[AnomalyAlert]: ...


def open_alerts(
    settings: Settings,
    *,
    kind: str,
    source: str,
    business_date: date | None = None,
    only: Only = ALL,
    limit: int | None = None,
) -> list[StockoutAlert] | list[AnomalyAlert]:
    """The alerts of one night, worst first; without a date those of the source's latest published night.

    A night without alerts gives an empty list; a night or a source that was never published is an AlertStoreError.
    """
    model = KINDS[kind]
    with opened(settings) as engine, reading(engine) as session:
        chosen = _night(session, source, business_date)
        refuse_unknown(session, Workspace.of(settings, source).lake, source, kind, only)
        query = select(model).filter_by(source=source, business_date=chosen).order_by(model.rank)
        query = query.where(*of_alerts(model, only))
        return list(session.scalars(query.limit(limit)))  # type: ignore[return-value] # all of one kind


def open_incidents(
    settings: Settings,
    *,
    kind: str,
    source: str,
    only: Only = ALL,
    states: Sequence[str] = SHOWN_STATES,
    limit: int | None = None,
) -> list[tuple[Incident, StockoutAlert | AnomalyAlert | None]]:
    """The source's incidents in these states, worst first as alerts are, each with the alert that last showed it.

    The alert is None where its night was published again without it. A source never published is an AlertStoreError.
    """
    model = KINDS[kind]
    worst = AnomalyAlert.score if model is AnomalyAlert else Incident.value_at_risk_cents
    with opened(settings) as engine, reading(engine) as session:
        _night(session, source, None)
        refuse_unknown(session, Workspace.of(settings, source).lake, source, kind, only)
        query = select(Incident, model).outerjoin(model, model.id == Incident.alert_id)
        query = query.filter(Incident.source == source, Incident.kind == kind, Incident.state.in_(states))
        query = query.where(*of_incidents(only))
        rows = session.execute(query.order_by(nulls_last(worst.desc()), Incident.id).limit(limit))
        return [(incident, alert) for incident, alert in rows]  # type: ignore[misc] # all of one kind


def find_alert(settings: Settings, id_or_prefix: str) -> StockoutAlert | AnomalyAlert:
    """The one alert whose id begins so, or the latest one of the incident whose id does.

    Raises: AlertStoreError: when there is none or more than one.
    """
    with opened(settings) as engine, reading(engine) as session:
        found: list[StockoutAlert | AnomalyAlert] = []
        incidents = select(Incident.alert_id).where(Incident.id.startswith(id_or_prefix.lower(), autoescape=True))
        for model in KINDS.values():
            begins = model.id.startswith(id_or_prefix.lower(), autoescape=True) | model.id.in_(incidents)
            found.extend(session.scalars(select(model).where(begins).limit(2)))
    if len(found) != 1:
        how_many = "no alert's id begins" if not found else "more than one alert's id begins"
        raise AlertStoreError(f"{how_many} with {id_or_prefix!r}; `larder alerts list` shows the ids")
    return found[0]


def publications(settings: Settings, source: str) -> list[Publication]:
    """The published nights of a source, latest first."""
    with opened(settings) as engine, reading(engine) as session:
        query = select(Publication).filter_by(source=source).order_by(Publication.business_date.desc())
        return list(session.scalars(query))


def publication(settings: Settings, source: str, business_date: date | None = None) -> Publication:
    """A published night of a source, the latest without a date; AlertStoreError where it was never published."""
    with opened(settings) as engine, reading(engine) as session:
        return session.get_one(Publication, (source, _night(session, source, business_date)))


def reading(engine: Engine) -> Session:
    """A session to read in; AlertStoreError before the first publishing."""
    check_published(engine)
    return Session(engine, expire_on_commit=False)


def _night(session: Session, source: str, business_date: date | None) -> date:
    if business_date is None:
        business_date = session.scalar(select(func.max(Publication.business_date)).filter_by(source=source))
    if business_date is None or session.get(Publication, (source, business_date)) is None:
        known = ", ".join(sorted(session.scalars(select(Publication.source).distinct()))) or "none"
        when = f"the night of {business_date}" if business_date else "any night"
        raise AlertStoreError(f"no alerts of source {source!r} for {when} were published; published sources: {known}")
    return business_date
