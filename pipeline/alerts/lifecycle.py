"""The rules by which an incident changes: what a published night does to it, and what people may do. No SQL here.

    new -> ongoing -> resolved            by the nights: seen, seen again, no longer seen
    acknowledged, snoozed                 by people; still open, and the nights go on following it
    closed (right, wrong, known)          by people; `wrong` and `known` silence the subject while the condition lasts

A closed incident that silences stays live: the nights go on following it, quietly, until one no longer shows the
condition. `wrong` is refuted, and no longer silences, when a product that "would not run out" is out. An incident that
ended is not opened again by a later night; that opens a new one, which names it, and which is snoozed if the ended one
was snoozed beyond that night. Every change gives an event. Why so: docs/decisions/2026-11-21__incidents.md.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from models.severities import SEVERITIES
from pipeline.alerts.incident_models import (
    CLOSED,
    LOW,
    OPEN_STATES,
    OUT,
    PRODUCT,
    RESOLVED,
    Incident,
    IncidentEvent,
    incident_id,
    subject_hash,
)
from pipeline.alerts.models import AnomalyAlert, StockoutAlert

NEW, ONGOING, ACKNOWLEDGED, SNOOZED = OPEN_STATES
SILENCING = ("wrong", "known")
NIGHTLY_RUN = "nightly run"  # the actor of what a published night does


class IncidentError(Exception):
    """An action on an incident is not possible; the message says why, and what is."""


@dataclass(frozen=True)
class Moment:
    """Who changes an incident and when (UTC, without zone), and the night that does so, if it is one."""

    actor: str
    now: datetime
    business_date: date | None = None


@dataclass(frozen=True)
class Sighting:
    """One night's alert, as far as the life cycle looks at it."""

    subject: str
    business_date: date
    phase: str | None
    score: float
    alert: StockoutAlert | AnomalyAlert

    @classmethod
    def of(cls, alert: StockoutAlert | AnomalyAlert) -> "Sighting":
        """What an alert says of its subject: a product with nothing on hand is out, and then not low as well."""
        if isinstance(alert, StockoutAlert):
            subject = subject_hash("stockout", alert.source, PRODUCT, alert.product_id, alert.store_id)
            phase = OUT if alert.on_hand <= 0 else LOW
            return cls(subject, alert.business_date, phase, alert.probability, alert)
        subject = subject_hash("anomaly", alert.source, alert.funnel_kind, alert.funnel_id, alert.store_id)
        return cls(subject, alert.business_date, None, alert.score, alert)


def record(
    incident: Incident,
    action: str,
    at: Moment,
    *,
    state: str | None = None,
    detail: str | None = None,
    comment: str | None = None,
) -> IncidentEvent:
    """Move the incident to `state`, if one is given, and return the event that says so."""
    state_before = incident.state if incident.version else None
    incident.state = state or incident.state
    incident.version += 1
    incident.changed_by, incident.changed_at_utc = at.actor, at.now
    return IncidentEvent(
        incident_id=incident.id,
        number=incident.version,
        happened_at_utc=at.now,
        actor=at.actor,
        action=action,
        state_before=state_before,
        state_after=incident.state,
        detail=detail,
        comment=comment,
        business_date=at.business_date,
    )


def open_incident(seen: Sighting, at: Moment, previous: Incident | None) -> tuple[Incident, IncidentEvent]:
    """The incident that begins with this sighting; `previous` is the subject's latest ended one."""
    is_stockout = isinstance(seen.alert, StockoutAlert)
    snoozed_until = previous.snoozed_until if previous and previous.state == RESOLVED else None
    is_snoozed = snoozed_until is not None and snoozed_until > seen.business_date
    incident = Incident(
        id=incident_id(seen.subject, seen.business_date),
        subject=seen.subject,
        kind="stockout" if is_stockout else "anomaly",
        first_seen=seen.business_date,
        nights_seen=1,
        state=SNOOZED if is_snoozed else NEW,
        is_live=True,
        version=0,
        changed_by=at.actor,
        changed_at_utc=at.now,
        worst_severity=seen.alert.severity,
        peak_score=seen.score,
        snoozed_until=snoozed_until if is_snoozed else None,
        previous_id=previous.id if previous else None,
        phase=seen.phase,
        **description(seen),
    )
    again = (
        f"again, after {previous.id} ({previous.state} {previous.ended_on or ''}".rstrip() + ")" if previous else None
    )
    return incident, record(incident, "opened", at, detail=again)


def description(seen: Sighting) -> dict[str, Any]:
    """The fields of an incident that are as of the night on which it was last seen."""
    alert = seen.alert
    if isinstance(alert, StockoutAlert):
        about: dict[str, Any] = {
            "subject_kind": PRODUCT,
            "subject_id": alert.product_id,
            "name": alert.product_name,
            "category": alert.category,
            "direction": None,
        }
    else:
        about = {
            "subject_kind": alert.funnel_kind,
            "subject_id": alert.funnel_id,
            "name": f"{alert.funnel_kind} {alert.funnel_id}",
            "category": None,
            "direction": alert.direction,
        }
    return about | {
        "source": alert.source,
        "store_id": alert.store_id,
        "severity": alert.severity,
        "value_at_risk_cents": alert.value_at_risk_cents,
        "reason": alert.reason,
        "alert_id": alert.id,
        "last_seen": seen.business_date,
    }


def see(incident: Incident, seen: Sighting, at: Moment, state_before: str | None) -> list[IncidentEvent]:
    """The night shows the incident's subject.

    An incident that this very night ended, when it was published before with other alerts, is taken up again in its
    state before that. Afterwards the incident may not be live: then its silence is refuted, and a new one begins.
    """
    events = []
    if not incident.is_live:
        incident.is_live, incident.ended_on = True, None
        state = state_before if incident.state == RESOLVED else None
        events.append(
            record(incident, "restored", at, state=state, detail=f"the night of {seen.business_date} was corrected")
        )
    if incident.state == CLOSED and incident.verdict == "wrong" and (incident.phase, seen.phase) == (LOW, OUT):
        return [*events, _end(incident, at, "silence_ended", detail="out of stock, after the verdict wrong")]
    events += _crossings(incident, seen, at)
    if incident.last_seen < seen.business_date or not incident.nights_seen:
        incident.nights_seen += 1
    for name, value in description(seen).items():
        setattr(incident, name, value)
    incident.peak_score = max(incident.peak_score, seen.score)
    incident.phase = seen.phase
    if incident.state == NEW and seen.business_date > incident.first_seen:
        events.append(record(incident, "seen_again", at, state=ONGOING))
    if (
        incident.state == SNOOZED
        and incident.snoozed_until is not None
        and seen.business_date >= incident.snoozed_until
    ):
        incident.snoozed_until = None
        events.append(record(incident, "woke", at, state=ONGOING))
    return events


def miss(incident: Incident, at: Moment) -> list[IncidentEvent]:
    """The night, and as many before it as the settings say, do not show the live incident's subject."""
    if incident.state == CLOSED:
        return [_end(incident, at, "silence_ended", detail="the condition ended")]
    return [_end(incident, at, "resolved", state=RESOLVED)]


def withdraw(incident: Incident, at: Moment) -> list[IncidentEvent]:
    """The one night that showed the incident was published again without it."""
    incident.nights_seen, incident.alert_id = 0, None
    detail = f"the night of {at.business_date} was corrected"
    return [_end(incident, at, "withdrawn", state=None if incident.state == CLOSED else RESOLVED, detail=detail)]


def can_be_restored(incident: Incident, business_date: date) -> bool:
    """Whether that night ended the incident, so that the same night published again can take it up again."""
    is_silenced = incident.state == CLOSED and incident.verdict in SILENCING
    return not incident.is_live and incident.ended_on == business_date and (incident.state == RESOLVED or is_silenced)


def acknowledge(incident: Incident, by: Moment, comment: str | None = None) -> IncidentEvent | None:
    """Somebody is on it. Nothing happens to one that is acknowledged already."""
    _refuse_unless(incident, OPEN_STATES, "acknowledged")
    if incident.state == ACKNOWLEDGED and comment is None:
        return None
    incident.snoozed_until = None
    return record(incident, "acknowledged", by, state=ACKNOWLEDGED, comment=comment)


def snooze(incident: Incident, by: Moment, until: date, comment: str | None = None) -> IncidentEvent:
    """Not to be shown before the night of `until`; then it is ongoing again if the condition still holds."""
    _refuse_unless(incident, OPEN_STATES, "snoozed")
    incident.snoozed_until = until
    return record(incident, "snoozed", by, state=SNOOZED, detail=f"until {until}", comment=comment)


def close(
    incident: Incident, by: Moment, verdict: str, comment: str | None = None, *, may_silence: bool = True
) -> IncidentEvent:
    """Closed with a verdict. A resolved incident can get one afterwards, and a verdict can be changed.

    Args: may_silence: False where another incident of the subject is live already.
    """
    incident.is_live = may_silence and verdict in SILENCING and incident.ended_on is None
    detail = f"verdict {verdict}" + (f", before {incident.verdict}" if incident.verdict else "")
    incident.verdict, incident.snoozed_until = verdict, None
    return record(incident, "closed", by, state=CLOSED, detail=detail, comment=comment)


def reopen(incident: Incident, by: Moment, comment: str | None = None) -> IncidentEvent:
    """Take back an acknowledgement, a snooze or a verdict. One that ended stays ended: its verdict alone is taken."""
    if incident.state == RESOLVED:
        raise IncidentError(
            f"incident {incident.id} resolved by itself on {incident.ended_on}; "
            "should the condition come back, a new incident opens by itself"
        )
    _refuse_unless(incident, (ACKNOWLEDGED, SNOOZED, CLOSED), "reopened")
    detail = f"verdict {incident.verdict} taken back" if incident.verdict else None
    incident.verdict = incident.snoozed_until = None
    incident.is_live = incident.ended_on is None
    state = ONGOING if incident.is_live else RESOLVED
    return record(incident, "reopened", by, state=state, detail=detail, comment=comment)


def comment(incident: Incident, by: Moment, words: str) -> IncidentEvent:
    """Say something about it, in whatever state it is."""
    return record(incident, "commented", by, comment=words)


def _crossings(incident: Incident, seen: Sighting, at: Moment) -> list[IncidentEvent]:
    events = []
    if incident.phase != seen.phase:
        action = "went_out" if seen.phase == OUT else "restocked"
        events.append(record(incident, action, at, detail=f"{incident.phase} -> {seen.phase}"))
    severity = seen.alert.severity
    if incident.severity != severity:
        # Worse than ever is news; up and down around a limit is not.
        is_worst = SEVERITIES.index(severity) < SEVERITIES.index(incident.worst_severity)
        action = "worsened" if is_worst else "severity_changed"
        events.append(record(incident, action, at, detail=f"{incident.severity} -> {severity}"))
        incident.worst_severity = severity if is_worst else incident.worst_severity
    return events


def _end(
    incident: Incident, at: Moment, action: str, *, state: str | None = None, detail: str | None = None
) -> IncidentEvent:
    incident.is_live, incident.ended_on = False, at.business_date
    return record(incident, action, at, state=state, detail=detail)


def _refuse_unless(incident: Incident, states: tuple[str, ...], wanted: str) -> None:
    if incident.state not in states:
        raise IncidentError(
            f"incident {incident.id} is {incident.state} and cannot be {wanted}; that goes for: {', '.join(states)}"
        )
