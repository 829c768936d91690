"""`larder alerts acknowledge`, `snooze`, `close`, `reopen`, `comment`, `history`: what people do to incidents."""

import getpass
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.settings import Settings
from pipeline.terminal import errors_in_one_line, money, print_table

if TYPE_CHECKING:
    from pipeline.alerts.incident_models import Incident

Verdict = StrEnum("Verdict", ["right", "wrong", "known"])
Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="incidents' ids, or their beginnings")]
Words = Annotated[str | None, typer.Option("--comment", "-m", help="what to say with it")]
By = Annotated[str | None, typer.Option(help="who acts; default: the name of this login")]


def acknowledge(ids: Ids, comment: Words = None, by: By = None) -> None:
    """Say that somebody is on it."""
    from pipeline.alerts import incidents

    _act(incidents.acknowledge, ids, by, comment=comment)


def snooze(
    ids: Ids,
    until: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="the night that shows it again")],
    comment: Words = None,
    by: By = None,
) -> None:
    """Hide incidents until a night; then they come back by themselves if the condition still holds."""
    from pipeline.alerts import incidents

    _act(incidents.snooze, ids, by, until=until.date(), comment=comment)


def close(
    ids: Ids,
    verdict: Annotated[Verdict, typer.Option(help="was the alert right? wrong and known also silence the condition")],
    comment: Words = None,
    by: By = None,
) -> None:
    """Close incidents with a verdict."""
    from pipeline.alerts import incidents

    _act(incidents.close, ids, by, verdict=verdict.value, comment=comment)


def reopen(ids: Ids, comment: Words = None, by: By = None) -> None:
    """Take back an acknowledgement, a snooze or a verdict."""
    from pipeline.alerts import incidents

    _act(incidents.reopen, ids, by, comment=comment)


def comment(
    ids: Ids, words: Annotated[str, typer.Option("--comment", "-m", help="what to say")], by: By = None
) -> None:
    """Say something about incidents."""
    from pipeline.alerts import incidents

    _act(incidents.comment, ids, by, words=words)


def history(
    incident: Annotated[str, typer.Argument(metavar="ID", help="an incident's id, or its beginning")],
) -> None:
    """Everything that happened to an incident, oldest first."""
    from pipeline.alerts import incidents
    from pipeline.alerts.lifecycle import IncidentError
    from pipeline.alerts.queries import reading
    from pipeline.alerts.store import AlertStoreError, opened

    with (
        errors_in_one_line(AlertStoreError, IncidentError),
        opened(Settings()) as engine,
        reading(engine) as session,
    ):
        found = incidents.find_incident(session, incident)
        events = incidents.history(session, found.id)
    rows: list[list[object]] = [
        [
            event.night or "",
            f"{event.happened_at_utc:%Y-%m-%d %H:%M}",
            event.actor,
            event.action.replace("_", " "),
            event.state_after,
            ": ".join(filter(None, [event.detail, event.comment])),
        ]
        for event in events
    ]
    columns = dict.fromkeys(("night", "at (UTC)", "who", "what", "state"), "left") | {"said": "fold"}
    print_table(f"{found.id}: {found.name} in {found.store_id}, {status(found)}", columns, rows)


def print_incidents(found: "Sequence[Incident]", title: str) -> None:
    """One line per incident, in the order given."""
    if not found:
        typer.echo(f"no {title}")
        return
    columns = dict.fromkeys(("id", "status", "first seen", "severity", "store"), "left")
    columns |= {"value at risk": "right", "what": "fold", "reason": "fold"}
    rows: list[list[object]] = [
        [
            incident.id,
            status(incident),
            incident.first_seen,
            incident.severity,
            incident.store_id,
            money(incident.value_at_risk_cents),
            incident.name,
            incident.reason,
        ]
        for incident in found
    ]
    print_table(title, columns, rows)


def status(incident: "Incident") -> str:
    """State and what goes with it: "ongoing, out", "snoozed until 2026-03-05", "closed as wrong"."""
    details = {"snoozed": f" until {incident.snoozed_until}", "closed": f" as {incident.verdict}"}
    details["resolved"] = f" on {incident.ended_on}"
    return incident.state + details.get(incident.state, "") + (", out" if incident.phase == "out" else "")


def _act(act: "Callable[..., list[Incident]]", ids: Sequence[str], by: str | None, **options: Any) -> None:
    """Do it to all the incidents, or to none, and print them."""
    from pipeline.alerts.incidents import find_incident
    from pipeline.alerts.lifecycle import IncidentError
    from pipeline.alerts.store import AlertStoreError, check_published, opened, writing

    with errors_in_one_line(AlertStoreError, IncidentError), opened(Settings()) as engine:
        check_published(engine)
        with writing(engine) as session:
            found = [find_incident(session, one).id for one in ids]
            changed = act(session, found, actor=by or getpass.getuser(), now=datetime.now(UTC), **options)
    print_incidents(changed, f"{len(changed)} changed")
