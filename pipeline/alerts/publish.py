"""From the run's tables in the lake to the alert store: both kinds of one night in one transaction.

Ranks: stock-outs by value at risk, then units short; anomalies by score, then value at risk; ties by id, so that a
rerun ranks alike. Publishing a night again with the same content writes nothing; with other content it replaces that
night of that source as a whole, and readers see the one or the other. The incidents move in the same transaction.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
from sqlalchemy import delete, insert

from pipeline.alerts.models import Alert, AnomalyAlert, Base, Publication, StockoutAlert, alert_id
from pipeline.alerts.nights import follow_night
from pipeline.alerts.store import migrate, opened, writing
from pipeline.lake.lake import Lake
from pipeline.settings import Settings
from pipeline.workspace import Run, Workspace


@dataclass(frozen=True)
class Night:
    """The alerts of one source and night, ranked."""

    stockouts: list[StockoutAlert]
    anomalies: list[AnomalyAlert]
    publication: Publication


class PublishError(Exception):
    """The run's tables do not fit the night that is to be published."""


def publish_alerts(settings: Settings, workspace: Workspace, source: str, run: Run) -> tuple[Publication, bool]:
    """Publish the run's alerts; returns the publication and whether anything was written."""
    night = read_night(workspace.lake, source, run)
    with opened(settings) as engine:
        migrate(engine)
        with writing(engine) as session:
            key = {"source": source, "business_date": run.business_date}
            published = session.get(Publication, key)
            if published is not None and published.content_hash == night.publication.content_hash:
                return published, False
            for model in (StockoutAlert, AnomalyAlert, Publication):
                session.execute(delete(model).filter_by(**key))
            session.expunge_all()
            for model, rows in (
                (Publication, [night.publication]),
                (StockoutAlert, night.stockouts),
                (AnomalyAlert, night.anomalies),
            ):
                if rows:
                    session.execute(insert(model), [asdict(row) for row in rows])
            follow_night(session, source, run.business_date, settings.alerts)
    return night.publication, True


def read_night(lake: Lake, source: str, run: Run) -> Night:
    """The run's own stock-outs and anomalies as ranked alerts; LakeError or PublishError where the run made none."""
    for table in ("stockouts", "anomalies"):
        lake.path(table, run.run_id)
        made_for = lake.manifest(table, run.run_id).business_date
        if made_for != run.business_date:
            raise PublishError(
                f"run {run.run_id} made {table} for {made_for}, not for {run.business_date}: publish it for that date"
            )
    origin: dict[str, Any] = {
        "source": source,
        "business_date": run.business_date,
        "run_id": run.run_id,
        "model_version": _model_version(lake, run.run_id),
        "data_version": lake.resolve("transactions", run.run_id),
    }
    stockouts = _stockouts(lake, origin)
    anomalies = _anomalies(lake, origin)
    return Night(
        stockouts,
        anomalies,
        Publication(
            **origin,
            stockouts=len(stockouts),
            anomalies=len(anomalies),
            content_hash=_content_hash(origin, [*stockouts, *anomalies]),
            published_at_utc=datetime.now(UTC).replace(tzinfo=None, microsecond=0),
        ),
    )


def _stockouts(lake: Lake, origin: dict[str, Any]) -> list[StockoutAlert]:
    rows = list(_rows(lake, "stockouts", origin["run_id"]))
    names = _product_names(lake, origin["run_id"], {row["product_id"] for row in rows})
    rows.sort(key=lambda row: (-row["value_at_risk_cents"], -row["units_short"], row["store_id"], row["product_id"]))
    return [
        StockoutAlert(
            id=alert_id("stockout", origin["source"], origin["business_date"], row["store_id"], row["product_id"]),
            rank=rank,
            product_name=names.get(row["product_id"], row["product_id"]),
            horizon_days=len(row["residual"]),
            **origin,
            **_taken(row, StockoutAlert),
        )
        for rank, row in enumerate(rows, start=1)
    ]


def _anomalies(lake: Lake, origin: dict[str, Any]) -> list[AnomalyAlert]:
    rows = list(_rows(lake, "anomalies", origin["run_id"], ds.field("is_alert")))
    rows.sort(key=lambda row: (-row["score"], -row["value_cents"], row["funnel_kind"], row["funnel_id"]))
    return [
        AnomalyAlert(
            id=alert_id("anomaly", origin["source"], origin["business_date"], row["funnel_kind"], row["funnel_id"]),
            rank=rank,
            value_at_risk_cents=row["value_cents"],
            **origin,
            **_taken(row, AnomalyAlert),
        )
        for rank, row in enumerate(rows, start=1)
    ]


def _taken(row: dict[str, Any], model: type[Base]) -> dict[str, Any]:
    """The columns of the lake's row that the alert has under the same name."""
    return {name: value for name, value in row.items() if name in model.__table__.columns}


def _rows(lake: Lake, table: str, version: str, only: ds.Expression | None = None) -> Iterator[dict[str, Any]]:
    for batch in ds.dataset(lake.path(table, version), format="parquet").to_batches(filter=only):
        yield from batch.to_pylist()


def _product_names(lake: Lake, run_id: str, wanted: set[str]) -> dict[str, str]:
    version = lake.resolve("products", run_id)
    only = ds.field("product_id").isin(pa.array(sorted(wanted), pa.string()))
    return {row["product_id"]: row["name"] for row in _rows(lake, "products", version, only)}


def _model_version(lake: Lake, run_id: str) -> str:
    """The model that made the run's predictions; the reader finds several only if a night mixed them."""
    version = lake.resolve("predictions", run_id)
    found: set[str] = set()
    for batch in ds.dataset(lake.path("predictions", version), format="parquet").to_batches(columns=["model_version"]):
        found.update(batch.column(0).unique().to_pylist())
    return ", ".join(sorted(found))


def _content_hash(origin: dict[str, Any], alerts: list[Alert]) -> str:
    content = [origin, [asdict(alert) for alert in alerts]]
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()
