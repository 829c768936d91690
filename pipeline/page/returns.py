"""Units that customers are expected to send back, from the latest forecasts."""

from functools import lru_cache
from pathlib import Path

import pyarrow.dataset as ds
from sqlalchemy import select

from pipeline.lake.lake import Lake
from pipeline.page.context import Context
from pipeline.page.rows import View
from pipeline.page.views import INCIDENT, VIEWS, anomalies
from pipeline.tables.return_forecasts import RETURN_FORECASTS
from pipeline.tables.sequences import FUNNEL_KINDS

MOST_CUSTOMERS = 500
"""Each one is a part of an SQL statement."""


def view_of(context: Context, name: str, source: str, scope: str) -> View:
    """A table of alerts, with what it shows beside the alert store."""
    if name != "anomalies":
        return VIEWS[name](source, scope)
    units = expected_back(context.workspace(source).lake)
    if units:
        shown = select(INCIDENT.subject_id).where(INCIDENT.source == source, INCIDENT.subject_kind == FUNNEL_KINDS[0])
        with context.reading() as connection:
            units = {name: units[name] for name in connection.scalars(shown.distinct()) if name in units}
    most = sorted(units.items(), key=lambda each: (-each[1], each[0]))[:MOST_CUSTOMERS]
    return anomalies(source, scope, dict(most))


def expected_back(lake: Lake) -> dict[str, float]:
    """Units by customer; empty where no night has forecast returns."""
    version = lake.current(RETURN_FORECASTS.name)
    if version is None:
        return {}
    # An erasure writes files anew, so that nobody who was erased is remembered here.
    files = sorted(lake.path(RETURN_FORECASTS.name, version).rglob("*.parquet"))
    return _of_files(tuple((str(file), file.stat().st_mtime_ns) for file in files))


def units_by_customer(folder: Path) -> dict[str, float]:
    """Units expected back of each customer, in one version of `return_forecasts`."""
    return _summed(ds.dataset(folder, format="parquet"))


@lru_cache(maxsize=4)
def _of_files(files: tuple[tuple[str, int], ...]) -> dict[str, float]:
    return _summed(ds.dataset([file for file, _ in files], format="parquet")) if files else {}


def _summed(lines: ds.Dataset) -> dict[str, float]:
    sums = lines.to_table(columns=["customer_id", "expected_units"]).group_by("customer_id")
    found = sums.aggregate([("expected_units", "sum")])
    return dict(zip(found["customer_id"].to_pylist(), found["expected_units_sum"].to_pylist(), strict=True))
