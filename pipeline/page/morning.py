"""What the page says before any table: as of when the data are, whether that is late, and the figures on the tiles."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import case, func, select

from models.directions import GAIN
from pipeline.alerts.incident_models import SHOWN_STATES, Incident
from pipeline.alerts.models import Publication
from pipeline.page.context import Context, NothingPublished
from pipeline.stages import read_stages
from pipeline.workspace import Workspace


@dataclass(frozen=True)
class Failure:
    """The newest run, where it failed: its name, the stage that did, and the stage's own words."""

    run: str
    stage: str
    error: str


@dataclass(frozen=True)
class Morning:
    """The latest published night of a source (None before the first), the one expected by now, and what went wrong."""

    source: str
    business_date: date | None
    run_id: str | None
    expected: date
    failure: Failure | None

    @property
    def days_late(self) -> int:
        """Days that the published night lies behind the expected one."""
        return max((self.expected - self.business_date).days, 0) if self.business_date else 0


@dataclass(frozen=True)
class Tiles:
    """Open incidents of one kind, not snoozed: how many, their money at risk, the latest night's; and verdicts."""

    open: int
    value_cents: int
    new: int
    right: int
    with_verdict: int


def read_morning(context: Context, source: str) -> Morning:
    """How the latest night of the source stands."""
    workspace = context.workspace(source)
    latest = select(Publication.business_date, Publication.run_id).filter_by(source=source)
    try:
        with context.reading() as connection:
            found = connection.execute(latest.order_by(Publication.business_date.desc()).limit(1)).first()
    except NothingPublished:
        found = None
    business_date, run_id = found.tuple() if found else (None, None)
    failure = newest_failure(workspace)
    return Morning(source, business_date, run_id, context.expected_night(source), failure)


def read_tiles(context: Context, source: str, kind: str, business_date: date) -> Tiles:
    """The figures of one kind of incident, in one pass."""
    is_open = Incident.state.in_(SHOWN_STATES)
    is_at_risk = is_open & Incident.direction.is_distinct_from(GAIN)
    figures = select(
        func.count(case((is_open, 1))),
        func.coalesce(func.sum(case((is_at_risk, Incident.value_at_risk_cents))), 0),
        func.count(case((is_open & (Incident.first_seen == business_date), 1))),
        func.count(case((Incident.verdict == "right", 1))),
        func.count(case((Incident.verdict.in_(("right", "wrong")), 1))),
    ).where(Incident.source == source, Incident.kind == kind)
    with context.reading() as connection:
        row = connection.execute(figures).one()
    return Tiles(*(int(value) for value in row))


def newest_failure(workspace: Workspace) -> Failure | None:
    """Why the source's newest run failed; None where it did not."""
    records = list((workspace.root / "runs").glob("*/stages.jsonl"))
    if not records:
        return None
    folder = max(records, key=lambda path: path.stat().st_mtime_ns).parent
    stages = read_stages(folder)
    if not stages or stages[-1].status != "failed":
        return None
    return Failure(folder.name, stages[-1].name, str(stages[-1].details.get("error", "no reason was recorded")))
