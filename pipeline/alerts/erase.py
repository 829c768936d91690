"""A customer's alerts, incidents and events, taken out of the alert store in one transaction."""

import re
from collections.abc import Sequence

from sqlalchemy import delete, func, select, update

from pipeline.alerts.incident_models import Digest, Incident, IncidentEvent
from pipeline.alerts.models import AnomalyAlert, Publication
from pipeline.alerts.store import check_migrated, forget_log, opened, writing
from pipeline.settings import Settings


def erase_customer(settings: Settings, source: str, ids: Sequence[str]) -> dict[str, int]:
    """Remove the customer known under these ids; returns how many rows of each table were removed or, of digests,
    changed. Nights keep their ranks, with a gap.
    """
    with opened(settings) as engine:
        if not check_migrated(engine):
            return {}
        with writing(engine) as session:
            own = select(Incident.id).filter_by(source=source, subject_kind="customer")
            own = own.where(Incident.subject_id.in_(ids))
            statements = {
                "incident_events": delete(IncidentEvent).where(IncidentEvent.incident_id.in_(own)),
                "incidents": delete(Incident).where(Incident.id.in_(own)),
                "anomaly_alerts": delete(AnomalyAlert)
                .filter_by(source=source, funnel_kind="customer")
                .where(AnomalyAlert.funnel_id.in_(ids)),
            }
            # An earlier incident of a subject is named by a later one: both go, the reference first.
            session.execute(update(Incident).where(Incident.id.in_(own)).values(previous_id=None))
            removed = {
                table: session.connection().execute(statement).rowcount for table, statement in statements.items()
            }
            left = (
                select(func.count())
                .where(AnomalyAlert.source == Publication.source)
                .where(AnomalyAlert.business_date == Publication.business_date)
                .scalar_subquery()
            )
            session.execute(update(Publication).filter_by(source=source).values(anomalies=left))
            named = re.compile("|".join(rf"\bcustomer {re.escape(each)}(?!\w)" for each in ids))
            changed = 0
            for digest in session.scalars(select(Digest).filter_by(source=source)):
                digest.body, found = named.subn("customer (erased)", digest.body)
                changed += found > 0
        forget_log(engine)
    return removed | {"digests": changed}
