"""The digest of a night: what crossed a line since the night before, reported once.

Crossings are new incidents, low stock that is now out, a severity worse than ever, an incident back from its snooze,
and one that resolved. What is snoozed or closed stays quiet. A digest is claimed in the alert store before it is sent,
after the night's transaction: a night published again is reported once, and a kill in between loses the message
rather than repeating it (`larder alerts digest` shows it).
"""

from collections import Counter
from datetime import UTC, date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pipeline import notices
from pipeline.alerts.incident_models import CLOSED, RESOLVED, Digest, Incident, IncidentEvent
from pipeline.alerts.lifecycle import SNOOZED
from pipeline.alerts.models import Publication
from pipeline.alerts.queries import reading
from pipeline.alerts.store import opened, writing
from pipeline.lake.lake import Lake
from pipeline.settings import Settings
from pipeline.tables.transactions import TRANSACTIONS
from pipeline.terminal import at_risk
from pipeline.text import one_line
from pipeline.workspace import Workspace

# In the order of the digest; an incident that crossed several lines is named under the first.
CROSSINGS = {
    "opened": "new",
    "went_out": "out of stock",
    "worsened": "worse",
    "woke": "back from snooze",
    "resolved": "resolved",
}
LONGEST_LINE = 160


def send_digest(settings: Settings, source: str, business_date: date) -> bool | None:
    """Send the digest of the source's latest night, once.

    Returns: whether it was sent; None without news, without addresses, or where it was sent before.
    """
    try:
        if notices.configured_addresses() == []:
            return None
    except OSError:
        pass  # to be reported as not sent
    with opened(settings) as engine:
        with writing(engine) as session:
            latest = session.scalar(select(func.max(Publication.business_date)).filter_by(source=source))
            text = compose(session, source, business_date, settings)
            if business_date != latest or text is None or session.get(Digest, (source, business_date)) is not None:
                return None
            title, body = text
            claim = Digest(
                source=source,
                business_date=business_date,
                title=title,
                body=body,
                claimed_at_utc=datetime.now(UTC).replace(tzinfo=None, microsecond=0),
                was_sent=None,
            )
            session.add(claim)
        was_sent = notices.send(title, body)
        with writing(engine) as session:
            session.get_one(Digest, (source, business_date)).was_sent = was_sent
    return was_sent


def digest_of(settings: Settings, source: str, business_date: date) -> tuple[str, str] | None:
    """Title and body of the night's digest, as it was claimed or else as it would be; None without news."""
    with opened(settings) as engine, reading(engine) as session:
        if kept := session.get(Digest, (source, business_date)):
            return kept.title, kept.body
        return compose(session, source, business_date, settings)


def compose(session: Session, source: str, business_date: date, settings: Settings) -> tuple[str, str] | None:
    """Title and body about a night; None where nothing crossed a line."""
    crossed = _crossed(session, source, business_date)
    if not crossed:
        return None
    counts = Counter(action for action, _incident in crossed)
    headline = ", ".join(f"{counts[action]} {words}" for action, words in CROSSINGS.items() if counts[action])
    lines = [_line(action, incident) for action, incident in crossed[: settings.alerts.digest_lines]]
    if len(crossed) > len(lines):
        lines.append(f"and {len(crossed) - len(lines)} more")
    lines += refused_lines(Workspace.of(settings, source).lake, business_date)
    lines.append("")
    lines.append(settings.alerts.page_url or f"larder alerts list --source {source} --kind stockout (or anomaly)")
    return f"Larder, {source}, {business_date}: {headline}", "\n".join(lines)


def refused_lines(lake: Lake, business_date: date) -> list[str]:
    """One line with how many delivered lines the night could not use and why; none where it used all."""
    version = lake.current(TRANSACTIONS.name)
    nights = lake.manifest(TRANSACTIONS.name, version).details.get("nights", {}) if version else {}
    tonight = nights.get(business_date.isoformat(), {"lines": 0, "refused": {}})
    refused = sum(tonight["refused"].values())
    if not refused:
        return []
    reasons = ", ".join(f"{reason} {lines:,}" for reason, lines in tonight["refused"].items())
    return ["", _cut(f"{refused:,} of {tonight['lines']:,} delivered lines could not be used: {reasons}")]


def _crossed(session: Session, source: str, business_date: date) -> list[tuple[str, Incident]]:
    """The incidents that crossed a line that night and how, by kind of crossing, then by value at risk."""
    query = (
        select(IncidentEvent, Incident)
        .join(Incident, Incident.id == IncidentEvent.incident_id)
        .where(
            Incident.source == source, IncidentEvent.business_date == business_date, IncidentEvent.action.in_(CROSSINGS)
        )
        .where(Incident.state.not_in((SNOOZED, CLOSED)), Incident.nights_seen > 0)
    )
    order = list(CROSSINGS)
    first: dict[str, tuple[str, Incident]] = {}
    for event, incident in session.execute(query).tuples():
        # Opened or resolved by alerts that a correction took back, or resolved behind a snooze: no news.
        is_undone = event.action == RESOLVED and incident.state != RESOLVED
        if is_undone or (event.action == RESOLVED and event.state_before == SNOOZED):
            continue
        earlier = first.get(incident.id)
        if earlier is None or order.index(event.action) < order.index(earlier[0]):
            first[incident.id] = event.action, incident
    return sorted(first.values(), key=lambda news: (order.index(news[0]), -news[1].at_risk_cents, news[1].id))


def _line(action: str, incident: Incident) -> str:
    value = at_risk(incident.value_at_risk_cents, incident.direction)
    named = f"{incident.name}, {incident.store_id}, {incident.severity}, {value}: {incident.reason}"
    return _cut(f"{CROSSINGS[action]}: {named}")


def _cut(text: str) -> str:
    text = one_line(text)
    return text if len(text) <= LONGEST_LINE else text[: LONGEST_LINE - 1] + "…"
