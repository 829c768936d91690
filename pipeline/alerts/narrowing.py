"""Lists of alerts narrowed to a store, a category or a product that there is.

"No alerts" for a name that nobody has is a false all-clear; so a name that neither an alert nor the lake knows is an
error that names the known ones.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pyarrow.dataset as ds
from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from models.names import closest_of
from pipeline.alerts.incident_models import PRODUCT, Incident
from pipeline.alerts.models import AnomalyAlert, StockoutAlert
from pipeline.alerts.store import AlertStoreError
from pipeline.lake.lake import Lake, LakeError

INCIDENT, STOCKOUT, ANOMALY = Incident.__table__.c, StockoutAlert.__table__.c, AnomalyAlert.__table__.c

# Where each name stands: columns of the alert store, and a table of the lake with its columns.
_IN_STORE: dict[str, tuple[ColumnElement[Any], ...]] = {
    "store": (INCIDENT.store_id, STOCKOUT.store_id, ANOMALY.store_id),
    "category": (STOCKOUT.category,),
    "product": (STOCKOUT.product_id, STOCKOUT.product_name),
}
_IN_LAKE = {
    "store": ("stock_levels", ("store_id",)),
    "category": ("products", ("category",)),
    "product": ("products", ("product_id", "name")),
}


@dataclass(frozen=True)
class Only:
    """What a list is narrowed to, all at once; None narrows nothing. A product goes by its id or its name."""

    store: str | None = None
    category: str | None = None
    product: str | None = None

    def named(self) -> dict[str, str]:
        """What was given."""
        given = {"store": self.store, "category": self.category, "product": self.product}
        return {what: word for what, word in given.items() if word is not None}


ALL = Only()


def refuse_unknown(session: Session, lake: Lake, source: str, kind: str, only: Only) -> None:
    """Return if the source has each of these names.

    Raises: AlertStoreError: it has none of that name, with known ones, the closest first; or alerts of this kind have
            neither product nor category.
    """
    if kind != "stockout" and (only.product is not None or only.category is not None):
        raise AlertStoreError("behaviour alerts have no product and no category: those narrow --kind stockout alone")
    for what, word in only.named().items():
        known = _of_alerts(session, source, what)
        if word not in known:
            known |= _of_lake(lake, what)
        if word not in known:
            raise AlertStoreError(f"source {source} has no {what} {word!r}; {closest_of(word, known)}")


def of_alerts(model: type[StockoutAlert] | type[AnomalyAlert], only: Only) -> list[ColumnElement[bool]]:
    """The conditions on alerts."""
    conditions = [] if only.store is None else [model.store_id == only.store]
    if only.category is not None:
        conditions.append(STOCKOUT.category == only.category)
    if only.product is not None:
        conditions.append(or_(STOCKOUT.product_id == only.product, STOCKOUT.product_name == only.product))
    return conditions


def of_incidents(only: Only) -> list[ColumnElement[bool]]:
    """The conditions on incidents."""
    conditions = [] if only.store is None else [INCIDENT.store_id == only.store]
    if only.category is not None:
        conditions.append(INCIDENT.category == only.category)
    if only.product is not None:
        is_it = or_(INCIDENT.subject_id == only.product, INCIDENT.name == only.product)
        conditions.append(and_(INCIDENT.subject_kind == PRODUCT, is_it))
    return conditions


def _of_alerts(session: Session, source: str, what: str) -> set[str]:
    found: set[str] = set()
    for column in _IN_STORE[what]:
        found.update(session.scalars(select(column).where(column.table.c.source == source).distinct()))
    return found - {None}


def _of_lake(lake: Lake, what: str) -> set[str]:
    table, columns = _IN_LAKE[what]
    found: set[str] = set()
    with suppress(LakeError):  # the page's machine may have the alerts alone
        data = ds.dataset(lake.path(table, lake.resolve(table)), format="parquet")
        for batch in data.to_batches(columns=list(columns)):
            for values in batch.columns:
                found.update(values.unique().to_pylist())
    return found - {None}
