"""What people do to incidents, many at once: acknowledge, snooze, close with a verdict, reopen, comment.

Every function works in the caller's transaction (`pipeline.alerts.store.writing`), on all the ids or on none. `now` is
the time of the act, with its zone. `versions` holds, per id, the version that the person looked at: an incident that
somebody or a night has changed since is refused (`ConflictError`), so nobody overwrites what they have not seen.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import islice

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.names import unknown_name
from pipeline.alerts import lifecycle
from pipeline.alerts.incident_models import VERDICTS, Incident, IncidentEvent
from pipeline.alerts.lifecycle import IncidentError, Moment
from pipeline.alerts.models import KINDS, AnomalyAlert, Publication, StockoutAlert

LONGEST_COMMENT = 2000
LONGEST_NAME = 200
# Databases bound the parameters of one statement: SQLite at 32,766.
PARAMETERS = 10_000

Versions = Mapping[str, int] | None
Act = Callable[[Incident, Moment], IncidentEvent | None]


class ConflictError(IncidentError):
    """Somebody else was faster; the message says who and when."""


def acknowledge(
    session: Session,
    ids: Sequence[str],
    *,
    actor: str,
    now: datetime,
    versions: Versions = None,
    comment: str | None = None,
) -> list[Incident]:
    """Somebody is on these; returns the incidents as they now are, in the order of `ids`."""
    words = _words(comment)
    return _apply(session, ids, _moment(actor, now), versions, lambda one, by: lifecycle.acknowledge(one, by, words))


def snooze(
    session: Session,
    ids: Sequence[str],
    *,
    actor: str,
    now: datetime,
    until: date,
    versions: Versions = None,
    comment: str | None = None,
) -> list[Incident]:
    """Quiet until the night of `until`, which must lie after the latest published night of the incidents' sources."""
    words = _words(comment)
    query = select(Publication.source, func.max(Publication.business_date)).group_by(Publication.source)
    latest = dict(session.execute(query).tuples().all())

    def act(one: Incident, by: Moment) -> IncidentEvent:
        if until <= (newest := latest[one.source]):
            raise IncidentError(f"snoozing until {until} would end at once: the latest night is that of {newest}")
        return lifecycle.snooze(one, by, until, words)

    return _apply(session, ids, _moment(actor, now), versions, act)


def close(
    session: Session,
    ids: Sequence[str],
    *,
    actor: str,
    now: datetime,
    verdict: str,
    versions: Versions = None,
    comment: str | None = None,
) -> list[Incident]:
    """Close with the verdict `right`, `wrong` or `known`; the last two silence the condition while it lasts."""
    if verdict not in VERDICTS:
        raise IncidentError(unknown_name("verdict", verdict, VERDICTS))
    words = _words(comment)

    def act(one: Incident, by: Moment) -> IncidentEvent:
        may_silence = _follower(session, one) is None
        return lifecycle.close(one, by, verdict, words, may_silence=may_silence)

    return _apply(session, ids, _moment(actor, now), versions, act)


def reopen(
    session: Session,
    ids: Sequence[str],
    *,
    actor: str,
    now: datetime,
    versions: Versions = None,
    comment: str | None = None,
) -> list[Incident]:
    """Take back what a person set: acknowledgement, snooze or verdict."""
    words = _words(comment)

    def act(one: Incident, by: Moment) -> IncidentEvent:
        if follower := _follower(session, one):
            raise IncidentError(f"incident {one.id} is followed by {follower.id}, {follower.state}: use that")
        return lifecycle.reopen(one, by, words)

    return _apply(session, ids, _moment(actor, now), versions, act)


def comment(
    session: Session, ids: Sequence[str], *, actor: str, now: datetime, words: str, versions: Versions = None
) -> list[Incident]:
    """Say something about these, in whatever state they are."""
    text = _words(words)
    if text is None:
        raise IncidentError("an empty comment says nothing")
    return _apply(session, ids, _moment(actor, now), versions, lambda one, by: lifecycle.comment(one, by, text))


def history(session: Session, incident_id: str) -> list[IncidentEvent]:
    """All events of an incident, oldest first."""
    return list(session.scalars(select(IncidentEvent).filter_by(incident_id=incident_id).order_by("number")))


def alerts_of(session: Session, incident: Incident) -> list[StockoutAlert] | list[AnomalyAlert]:
    """The nights' alerts from the incident's first to its last, oldest first."""
    model = KINDS[incident.kind]
    nights = model.business_date.between(incident.first_seen, incident.last_seen)
    query = select(model).filter_by(source=incident.source).where(nights).order_by(model.business_date)
    if incident.kind == "stockout":
        query = query.filter_by(store_id=incident.store_id, product_id=incident.subject_id)
    else:
        query = query.filter_by(funnel_kind=incident.subject_kind, funnel_id=incident.subject_id)
    return list(session.scalars(query))  # type: ignore[return-value] # all of one kind


def find_incident(session: Session, id_or_prefix: str) -> Incident:
    """The one incident whose id begins so, or that an alert of such an id showed: a night prints its alerts' ids.

    Raises: IncidentError: there is none, or more than one.
    """
    begins = Incident.id.startswith(id_or_prefix.lower(), autoescape=True)
    found = list(session.scalars(select(Incident).where(begins).limit(2)))
    if not found:
        found = _shown_by(session, id_or_prefix.lower())
    if len(found) != 1:
        how_many = "no incident's id begins" if not found else "more than one incident's id begins"
        raise IncidentError(f"{how_many} with {id_or_prefix!r}; `larder alerts list` shows the ids")
    return found[0]


def _shown_by(session: Session, prefix: str) -> list[Incident]:
    """The incidents that the alerts of these ids showed, two at most; the latest of each subject."""
    found: dict[str, Incident] = {}
    for kind, model in KINDS.items():
        alerts: Iterable[StockoutAlert | AnomalyAlert]
        alerts = session.scalars(select(model).where(model.id.startswith(prefix, autoescape=True)).limit(2))
        for alert in alerts:
            subject = alert.product_id if isinstance(alert, StockoutAlert) else alert.funnel_id
            query = select(Incident).filter_by(source=alert.source, kind=kind, subject_id=subject)
            query = query.where(Incident.first_seen <= alert.business_date, Incident.last_seen >= alert.business_date)
            if isinstance(alert, StockoutAlert):
                query = query.filter_by(store_id=alert.store_id)
            else:
                query = query.filter_by(subject_kind=alert.funnel_kind)
            if shown := session.scalar(query.order_by(Incident.first_seen.desc()).limit(1)):
                found[shown.id] = shown
    return list(found.values())


def chunks(ids: Iterable[str]) -> Iterator[list[str]]:
    """The ids in lists that one statement can take as parameters."""
    rest = iter(ids)
    while chunk := list(islice(rest, PARAMETERS)):
        yield chunk


def _follower(session: Session, incident: Incident) -> Incident | None:
    """The live incident of the same subject, if it is another one."""
    if incident.is_live:
        return None
    return session.scalar(select(Incident).filter_by(subject=incident.subject, is_live=True))


def _apply(session: Session, ids: Sequence[str], by: Moment, versions: Versions, act: Act) -> list[Incident]:
    wanted = list(dict.fromkeys(ids))
    found: dict[str, Incident] = {}
    for some in chunks(wanted):
        # Read anew: this session may hold what it read before it began to write.
        query = select(Incident).where(Incident.id.in_(some)).execution_options(populate_existing=True)
        found |= {incident.id: incident for incident in session.scalars(query)}
    for one in wanted:
        if one not in found:
            raise IncidentError(f"there is no incident {one}; `larder alerts list` shows the ids")
        _refuse_changed(found[one], versions)
    for one in wanted:
        if event := act(found[one], by):
            session.add(event)
    session.flush()
    return [found[one] for one in wanted]


def _refuse_changed(incident: Incident, versions: Versions) -> None:
    if versions is not None and versions.get(incident.id) != incident.version:
        raise ConflictError(
            f"incident {incident.id} ({incident.name}) was changed by {incident.changed_by} at "
            f"{incident.changed_at_utc:%Y-%m-%d %H:%M} UTC and is now {incident.state}: reload, then decide again"
        )


def _moment(actor: str, now: datetime) -> Moment:
    name = " ".join(actor.split())
    if not name or len(name) > LONGEST_NAME or name == lifecycle.NIGHTLY_RUN:
        raise IncidentError(f"{actor!r} is no name to sign with: 1 to {LONGEST_NAME} characters say who acts")
    if now.tzinfo is None:
        raise ValueError("the time of an act needs its zone")
    return Moment(name, now.astimezone(UTC).replace(tzinfo=None, microsecond=0))


def _words(comment: str | None) -> str | None:
    text = (comment or "").strip()
    if len(text) > LONGEST_COMMENT:
        raise IncidentError(f"the comment has {len(text)} characters; at most {LONGEST_COMMENT} are kept")
    return text or None
