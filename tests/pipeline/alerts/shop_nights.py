"""Nights to publish: the alerts of each are stated, the rest of the lake is that of the fixture `run`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.alerts import incidents
from pipeline.alerts.incident_models import Incident, IncidentEvent
from pipeline.alerts.publish import publish_alerts
from pipeline.alerts.store import opened, writing
from pipeline.settings import Settings
from pipeline.workspace import Run, Workspace
from tests.factories import BUSINESS_DATE
from tests.published_tables import publish_rows

MORNING = datetime(2026, 3, 1, 8, tzinfo=UTC)
_runs = count(100)


def business_date(number: int) -> date:
    """The business date of the first, second, ... night."""
    return BUSINESS_DATE + timedelta(days=number - 1)


@dataclass
class Nights:
    """An alert store and a lake to publish nights from."""

    settings: Settings
    workspace: Workspace

    def publish(self, number: int, *stockouts: dict[str, Any], anomalies: Sequence[dict[str, Any]] = ()) -> None:
        """Publish the night with these alerts, by a run of its own."""
        run = Run("shop", business_date(number), f"run{next(_runs)}")
        for table, rows in (("stockouts", stockouts), ("anomalies", anomalies)):
            publish_rows(self.workspace, table, *rows, version=run.run_id, business_date=run.business_date)
        publish_alerts(self.settings, self.workspace, "shop", run)

    def incidents(self, **only: Any) -> list[Incident]:
        """All incidents, or those with these values, in the order in which they began."""
        with opened(self.settings) as engine, Session(engine, expire_on_commit=False) as session:
            return list(session.scalars(select(Incident).filter_by(**only).order_by("first_seen", "id")))

    def one(self, **only: Any) -> Incident:
        """The only incident."""
        (incident,) = self.incidents(**only)
        return incident

    def events(self, incident: Incident | None = None) -> list[IncidentEvent]:
        """What happened to an incident, by default to the only one."""
        with opened(self.settings) as engine, Session(engine, expire_on_commit=False) as session:
            return incidents.history(session, (incident or self.one()).id)

    def actions(self, incident: Incident | None = None) -> list[str]:
        """The events by name."""
        return [event.action for event in self.events(incident)]

    def act(self, act: Callable[..., list[Incident]], *which: Incident, **options: Any) -> list[Incident]:
        """Anna does something, by default to all incidents."""
        with opened(self.settings) as engine, writing(engine) as session:
            ids = [incident.id for incident in which or self.incidents()]
            return act(session, ids, **{"actor": "Anna", "now": MORNING, **options})
