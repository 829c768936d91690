"""What a published night does to the incidents of its source, inside the transaction that publishes it.

Only the latest night moves incidents. One published again, with other alerts, is corrected: what it alone had opened is
withdrawn, what it had resolved is restored. An older night published again replaces that night's alerts and no more:
what people have seen and decided since then is not rewritten. Why so: docs/decisions/2026-11-21__incidents.md.
"""

from bisect import bisect_right
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from pipeline.alerts.incident_models import RESOLVED, Incident, IncidentEvent
from pipeline.alerts.incidents import alerts_of, chunks
from pipeline.alerts.lifecycle import (
    NIGHTLY_RUN,
    Moment,
    Sighting,
    can_be_restored,
    description,
    miss,
    open_incident,
    see,
    withdraw,
)
from pipeline.alerts.models import AnomalyAlert, Publication, StockoutAlert
from pipeline.settings import AlertSettings


def follow_night(session: Session, source: str, business_date: date, settings: AlertSettings) -> None:
    """Move the source's incidents by a night whose alerts are written; nothing, where a later night has done so.

    A store that has nights but no incidents yet (it is of an older Larder) is followed from its first night on.
    """
    nights = session.scalars(select(Publication).filter_by(source=source).order_by(Publication.business_date)).all()
    dates = [publication.business_date for publication in nights]
    is_followed = session.scalar(select(Incident.id).filter_by(source=source).limit(1)) is not None
    for number, publication in enumerate(nights):
        if not is_followed or publication.business_date == business_date == dates[-1]:
            at = Moment(NIGHTLY_RUN, publication.published_at_utc, publication.business_date)
            _follow(session, source, at, dates[: number + 1], settings)


def _follow(session: Session, source: str, at: Moment, dates: list[date], settings: AlertSettings) -> None:
    business_date = dates[-1]
    seen = {sighting.subject: sighting for sighting in _sightings(session, source, business_date)}
    current = _current(session, source, business_date)
    before = _states_before(session, [one for one in current.values() if not one.is_live], business_date)
    opened: list[Sighting] = []
    events: list[IncidentEvent] = []
    for subject, sighting in seen.items():
        incident = current.get(subject)
        if incident is not None and (incident.is_live or can_be_restored(incident, business_date)):
            events += see(incident, sighting, at, before.get(incident.id))
        # Closed after this same night was published: the same alert opens no second incident.
        is_known = incident is not None and (incident.is_live or incident.last_seen == business_date)
        if not is_known:
            opened.append(sighting)
    missing = [one for subject, one in current.items() if one.is_live and subject not in seen]
    events += _forget(session, [one for one in missing if one.last_seen == business_date], at)
    grace = {"stockout": settings.stockout_resolve_nights, "anomaly": settings.anomaly_resolve_nights}
    for incident in missing:
        if incident.is_live and len(dates) - bisect_right(dates, incident.last_seen) >= grace[incident.kind]:
            events += miss(incident, at)
    # What is no longer live must be so in the database before another incident of its subject is.
    session.flush()
    previous = _latest(session, [sighting.subject for sighting in opened])
    for sighting in opened:
        incident, event = open_incident(sighting, at, previous.get(sighting.subject))
        session.add(incident)
        events.append(event)
    session.flush()
    session.add_all(events)
    session.flush()


def _sightings(session: Session, source: str, business_date: date) -> list[Sighting]:
    key = {"source": source, "business_date": business_date}
    stockouts = session.scalars(select(StockoutAlert).filter_by(**key))
    anomalies = session.scalars(select(AnomalyAlert).filter_by(**key))
    return [*map(Sighting.of, stockouts), *map(Sighting.of, anomalies)]


def _current(session: Session, source: str, business_date: date) -> dict[str, Incident]:
    """Per subject the live incident, else the latest one that this night has touched before."""
    touched = or_(Incident.is_live, Incident.ended_on == business_date, Incident.last_seen == business_date)
    query = select(Incident).filter_by(source=source).where(touched).order_by(Incident.is_live, Incident.first_seen)
    return {incident.subject: incident for incident in session.scalars(query)}


def _states_before(session: Session, ended: list[Incident], business_date: date) -> dict[str, str | None]:
    """The states from which this night resolved incidents, by id."""
    found: dict[str, str | None] = {}
    for ids in chunks(one.id for one in ended if one.state == RESOLVED and one.ended_on == business_date):
        query = select(IncidentEvent.incident_id, IncidentEvent.state_before).order_by(IncidentEvent.number)
        resolving = query.filter_by(state_after=RESOLVED).where(IncidentEvent.incident_id.in_(ids))
        found |= dict(session.execute(resolving.where(IncidentEvent.state_before != RESOLVED)).tuples().all())
    return found


def _forget(session: Session, withdrawn: list[Incident], at: Moment) -> list[IncidentEvent]:
    """Bring incidents, of which this night withdrew its alert, back to what the nights before had shown."""
    events = []
    for incident in withdrawn:
        earlier = [Sighting.of(alert) for alert in alerts_of(session, incident)]
        if not earlier:
            events += withdraw(incident, at)
            continue
        for name, value in description(earlier[-1]).items():
            setattr(incident, name, value)
        incident.nights_seen = len(earlier)
        incident.phase = earlier[-1].phase
        incident.peak_score = max(sighting.score for sighting in earlier)
    return events


def _latest(session: Session, subjects: list[str]) -> dict[str, Incident]:
    """The latest incident of each subject that had one."""
    found: dict[str, Incident] = {}
    for some in chunks(subjects):
        query = select(Incident).where(Incident.subject.in_(some)).order_by(Incident.first_seen)
        found |= {incident.subject: incident for incident in session.scalars(query)}
    return found
