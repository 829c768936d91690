"""Units that customers are expected to send back, from the latest forecasts."""

from functools import lru_cache
from pathlib import Path

import pyarrow.dataset as ds

from pipeline.lake.lake import Lake
from pipeline.page.context import Context
from pipeline.page.rows import View
from pipeline.page.views import VIEWS, anomalies
from pipeline.tables.return_forecasts import RETURN_FORECASTS

MOST_CUSTOMERS = 2000
"""Each one is a part of an SQL statement."""


def view_of(context: Context, name: str, source: str, scope: str) -> View:
    """A table of alerts, with what it shows beside the alert store."""
    if name == "anomalies":
        return anomalies(source, scope, expected_back(context.workspace(source).lake))
    return VIEWS[name](source, scope)


def expected_back(lake: Lake) -> dict[str, float]:
    """Units by customer, of the customers with most of them; empty where no night has forecast returns."""
    version = lake.current(RETURN_FORECASTS.name)
    if version is None:
        return {}
    # An erasure writes files anew, so that nobody who was erased is remembered here.
    files = sorted(lake.path(RETURN_FORECASTS.name, version).rglob("*.parquet"))
    return _most(tuple((str(file), file.stat().st_mtime_ns) for file in files))


def units_by_customer(folder: Path) -> dict[str, float]:
    """Units expected back of each customer, in one version of `return_forecasts`."""
    return _summed(ds.dataset(folder, format="parquet"))


@lru_cache(maxsize=4)
def _most(files: tuple[tuple[str, int], ...]) -> dict[str, float]:
    units = _summed(ds.dataset([file for file, _ in files], format="parquet")) if files else {}
    return dict(sorted(units.items(), key=lambda each: (-each[1], each[0]))[:MOST_CUSTOMERS])


def _summed(lines: ds.Dataset) -> dict[str, float]:
    sums = lines.to_table(columns=["customer_id", "expected_units"]).group_by("customer_id")
    found = sums.aggregate([("expected_units", "sum")])
    return dict(zip(found["customer_id"].to_pylist(), found["expected_units_sum"].to_pylist(), strict=True))
