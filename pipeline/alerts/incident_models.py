"""Incidents in SQL: one condition of one subject from the night it began to the night it ended, and what was done.

The alert tables hold every night as it was published; an incident follows one subject through the nights: a product in
a store, or a funnel whose behaviour changed. At most one incident of a subject is live, which the database itself
enforces. Every change is an event, numbered within its incident; the incident's `version` is the number of its last
event, so two people who change it at once cannot both succeed. Nothing is deleted (but see `larder erase`).
"""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from models.directions import DIRECTIONS, GAIN
from models.severities import SEVERITIES
from pipeline.alerts.models import ALERT_ID, KINDS, NAME, Base, one_of, short_hash
from pipeline.tables.sequences import FUNNEL_KINDS

OPEN_STATES = ("new", "ongoing", "acknowledged", "snoozed")
SHOWN_STATES = ("new", "ongoing", "acknowledged")  # a snoozed one is out of the way until its night
RESOLVED, CLOSED = "resolved", "closed"
STATES = (*OPEN_STATES, RESOLVED, CLOSED)
VERDICTS = ("right", "wrong", "known")
LOW, OUT = "low", "out"
PHASES = (LOW, OUT)
PRODUCT = "product"
SUBJECT_KINDS = (PRODUCT, *FUNNEL_KINDS)
_ORDER = ("source", "kind", "value_at_risk_cents", "id")
_FILTERS = ("state", "store_id", "name", "category", "first_seen", "verdict", "direction")


class Incident(Base):
    """One condition of one subject. What describes it (name to reason) is as of `last_seen`."""

    __tablename__ = "incidents"
    __table_args__ = (
        CheckConstraint(one_of("kind", tuple(KINDS)), name="kind"),
        CheckConstraint(one_of("subject_kind", SUBJECT_KINDS), name="subject_kind"),
        CheckConstraint(one_of("state", STATES), name="state"),
        CheckConstraint(one_of("phase", PHASES), name="phase"),
        CheckConstraint(one_of("verdict", VERDICTS), name="verdict"),
        CheckConstraint(one_of("severity", SEVERITIES), name="severity"),
        CheckConstraint(one_of("direction", DIRECTIONS), name="direction"),
        CheckConstraint("first_seen <= last_seen", name="seen"),
        Index(
            "uq_incidents_live_subject",
            "subject",
            unique=True,
            sqlite_where=text("is_live"),
            postgresql_where=text("is_live"),
        ),
        Index(None, "subject"),
        Index(None, "source", "kind", "state"),
        # The usual order. On SQLite also what people filter by and what is counted, so that it looks into no row but
        # those it shows; PostgreSQL refuses an index's row above 2,704 bytes, and a product's name has no limit.
        Index("ix_incidents_order", *_ORDER).ddl_if(dialect="postgresql"),
        Index("ix_incidents_order_and_filters", *_ORDER, *_FILTERS).ddl_if(dialect="sqlite"),
        Index(None, "source", "last_seen"),
        Index(None, "source", "ended_on"),
    )

    id: Mapped[str] = mapped_column(ALERT_ID, primary_key=True)
    subject: Mapped[str] = mapped_column(ALERT_ID)  # what the incidents of one subject share
    source: Mapped[str] = mapped_column(NAME)
    kind: Mapped[str] = mapped_column(String(16))
    store_id: Mapped[str] = mapped_column(NAME)
    subject_kind: Mapped[str] = mapped_column(String(16))
    subject_id: Mapped[str] = mapped_column(NAME)  # product, customer or store
    name: Mapped[str] = mapped_column(Text)
    category: Mapped[str | None] = mapped_column(Text)
    severity: Mapped[str] = mapped_column(String(16))
    value_at_risk_cents: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(Text)
    alert_id: Mapped[str | None] = mapped_column(ALERT_ID)  # the alert of `last_seen`; null once it was withdrawn
    peak_score: Mapped[float]  # greatest probability (stock-out) or score (anomaly) of its nights
    worst_severity: Mapped[str] = mapped_column(String(16))
    first_seen: Mapped[date]
    last_seen: Mapped[date]
    nights_seen: Mapped[int]
    state: Mapped[str] = mapped_column(String(16))
    phase: Mapped[str | None] = mapped_column(String(16))  # of stock-outs: low, or out with nothing on hand
    is_live: Mapped[bool]  # whether the subject's next alert belongs to it: open, or silenced by a verdict
    version: Mapped[int]
    changed_by: Mapped[str] = mapped_column(NAME)
    changed_at_utc: Mapped[datetime] = mapped_column(DateTime)
    ended_on: Mapped[date | None] = mapped_column(default=None)  # night that no longer showed the condition
    snoozed_until: Mapped[date | None] = mapped_column(default=None)
    verdict: Mapped[str | None] = mapped_column(String(16), default=None)
    previous_id: Mapped[str | None] = mapped_column(ALERT_ID, ForeignKey("incidents.id"), default=None)
    # Of anomalies: whether less is spent than usual. Null for stock-outs, and where no night since 0005 has shown it.
    direction: Mapped[str | None] = mapped_column(String(8), default=None)

    @property
    def at_risk_cents(self) -> int:
        """What may be lost: nothing where more is spent than usual."""
        return 0 if self.direction == GAIN else self.value_at_risk_cents

    @property
    def is_open(self) -> bool:
        """Whether somebody may still have to act."""
        return self.state in OPEN_STATES


class IncidentEvent(Base):
    """One change of an incident; `night` is set where a published night made it."""

    __tablename__ = "incident_events"
    __table_args__ = (Index(None, "night"),)

    incident_id: Mapped[str] = mapped_column(ALERT_ID, ForeignKey("incidents.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    happened_at_utc: Mapped[datetime] = mapped_column(DateTime)
    actor: Mapped[str] = mapped_column(NAME)
    action: Mapped[str] = mapped_column(String(32))
    state_before: Mapped[str | None] = mapped_column(String(16))
    state_after: Mapped[str] = mapped_column(String(16))
    detail: Mapped[str | None] = mapped_column(Text)  # what changed beside the state: "low -> out", "until 2026-03-05"
    comment: Mapped[str | None] = mapped_column(Text)
    business_date: Mapped[date | None] = mapped_column("night")


class Digest(Base):
    """The digest of a night, sent once, however often the night is published."""

    __tablename__ = "digests"

    source: Mapped[str] = mapped_column(NAME, primary_key=True)
    business_date: Mapped[date] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    claimed_at_utc: Mapped[datetime] = mapped_column(DateTime)
    was_sent: Mapped[bool | None]  # null from the claim until it was sent or refused


def subject_hash(kind: str, source: str, subject_kind: str, subject_id: str, store_id: str) -> str:
    """What all incidents of one subject share; a funnel is the same one when it moves to another store."""
    place = (store_id,) if subject_kind == PRODUCT else ()
    return short_hash(kind, source, subject_kind, subject_id, *place)


def incident_id(subject: str, first_seen: date) -> str:
    """A subject opens at most one incident in a night."""
    return "i" + short_hash(subject, first_seen.isoformat())
