"""Units that customers are expected to send back, from the latest forecasts, for the table of behaviour alerts."""

from functools import lru_cache
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.dataset as ds

from pipeline.lake.lake import Lake
from pipeline.page.context import Context
from pipeline.page.rows import View
from pipeline.page.views import VIEWS, anomalies
from pipeline.tables.return_forecasts import RETURN_FORECASTS

MOST_CUSTOMERS = 2000
"""Each one is a part of an SQL statement."""


def view_of(context: Context, name: str, source: str, scope: str) -> View:
    """A table of the page, with what it shows beside the alert store."""
    if name == "anomalies":
        return anomalies(source, scope, expected_back(context.workspace(source).lake))
    return VIEWS[name](source, scope)


def expected_back(lake: Lake) -> dict[str, float]:
    """Units by customer, of the customers with most of them; empty where no night has forecast returns."""
    version = lake.current(RETURN_FORECASTS.name)
    return {} if version is None else _units_by_customer(lake.path(RETURN_FORECASTS.name, version))


@lru_cache(maxsize=8)
def _units_by_customer(folder: Path) -> dict[str, float]:
    lines = ds.dataset(folder, format="parquet").to_table(columns=["customer_id", "expected_units"])
    summed = lines.group_by("customer_id").aggregate([("expected_units", "sum")])
    order = pc.select_k_unstable(
        summed, k=MOST_CUSTOMERS, sort_keys=[("expected_units_sum", "descending"), ("customer_id", "ascending")]
    )
    most = summed.take(order)
    return dict(zip(most["customer_id"].to_pylist(), most["expected_units_sum"].to_pylist(), strict=True))
