"""What people do to incidents and read of them: `larder alerts acknowledge`, `snooze`, `close`, `history` and more."""

import getpass
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.settings import Settings
from pipeline.sources.source import SourceError, load_source
from pipeline.terminal import at_risk, errors_in_one_line, one_of, plain, print_table

if TYPE_CHECKING:
    from pipeline.alerts.incident_models import Incident


class Kind(StrEnum):
    """The two kinds of alert."""

    stockout = "stockout"
    anomaly = "anomaly"


KindOption = Annotated[Kind, typer.Option(parser=one_of(Kind, "kind"), metavar="stockout|anomaly", help="which alerts")]
Source = Annotated[str | None, typer.Option(help="shop, tafeng, csv, or the path to a TOML description")]
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="the night; default: the latest published")]
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
    verdict: Annotated[
        Verdict,
        typer.Option(
            parser=one_of(Verdict, "verdict"),
            metavar="|".join(Verdict),
            help="was the alert right? wrong and known also silence the condition",
        ),
    ],
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
            event.business_date or "",
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


def digest(source: Source = None, business_date: Day = None) -> None:
    """The digest of a night, as it was sent or would be: what crossed a line since the night before."""
    from pipeline.alerts.digest import digest_of
    from pipeline.alerts.queries import publication
    from pipeline.alerts.store import AlertStoreError

    with errors_in_one_line(SourceError, AlertStoreError):
        settings = Settings()
        name = load_source(settings.source if source is None else source).name
        day = publication(settings, name, business_date.date() if business_date else None).business_date
        digest = digest_of(settings, name, day)
    for line in "\n".join(digest or (f"nothing of {name} crossed a line in the night of {day}",)).splitlines():
        typer.echo(plain(line))


def thresholds(
    kind: KindOption,
    source: Source = None,
    precision: Annotated[float, typer.Option(min=0.01, max=1, help="the share of alerts that shall be right")] = 0.8,
) -> None:
    """What people's verdicts propose as thresholds, category by category; nothing is applied."""
    from pipeline.alerts.store import AlertStoreError
    from pipeline.alerts.thresholds import MIN_VERDICTS, propose

    with errors_in_one_line(SourceError, AlertStoreError):
        settings = Settings()
        name = load_source(settings.source if source is None else source).name
        found = propose(settings, kind=kind.value, source=name, target=precision)
    if not found:
        typer.echo(f"no verdicts on {kind.value} incidents of {name} yet: `larder alerts close ID --verdict right`")
        return
    rows: list[list[object]] = []
    for one in found:
        low, high = one.interval
        kept = [f"{one.kept_right} of {one.kept}", f"{100 * low:.0f} to {100 * high:.0f} %"]
        why = "none reaches it" if one.has_enough else f"wants {MIN_VERDICTS} verdicts"
        proposed = [why, "", ""] if one.threshold is None else [f"{one.threshold:.3f}", *kept]
        rows.append([one.category, one.right, one.wrong, *proposed])
    columns = {"category": "left"} | dict.fromkeys(("right", "wrong", "threshold", "then right", "95 %"), "right")
    print_table(f"{kind.value} alerts of {name}, to be right in {100 * precision:g} %", columns, rows)
    now = (
        f"probability, now {settings.demand.min_probability:g} (LARDER_DEMAND__MIN_PROBABILITY)"
        if kind is Kind.stockout
        else f"score; the rate is {settings.anomalies.alerts_per_thousand:g} (LARDER_ANOMALIES__ALERTS_PER_THOUSAND)"
    )
    typer.echo(f"threshold: the {now}. Lower ones than today's have no verdicts; `known` counts for neither side.")


def print_incidents(found: "Sequence[Incident]", title: str) -> None:
    """A row or a block of two lines per incident, in the order given."""
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
            at_risk(incident.value_at_risk_cents, incident.direction),
            incident.name,
            incident.reason,
        ]
        for incident in found
    ]
    lines = "{id}  {status}  {severity}  store {store}  {value at risk}  since {first seen}", "{what}: {reason}"
    print_table(title, columns, rows, lines)


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
