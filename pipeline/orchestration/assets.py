"""Airflow's assets: one per table, and `alerts`. A task that publishes a table emits an event of it.

An event's partition is the business date, its extra names source and run, so that a DAG that the event starts is about
the same night, in backfills too.
"""

from collections.abc import Callable
from typing import Any

from airflow.sdk import Asset

from pipeline.orchestration.identity import business_date, run_name, source

ALERTS = "alerts"


def asset(name: str) -> Asset:
    """The asset of a table, or of the alerts."""
    return Asset(name=name, uri=f"larder://tables/{name}", group="larder")


def announce(names: tuple[str, ...]) -> Callable[[Any, Any], None]:
    """What a task does behind its work: emit an event of each asset, for the business date of its run."""

    def emit(context: Any, _result: Any) -> None:
        params, events = context["params"], context["triggering_asset_events"]
        night = {
            "source": source(params, events),
            "run_name": run_name(params, context["run_id"], events),
        }
        for name in names:
            event = context["outlet_events"][asset(name)]
            event.add_partitions(business_date(params, context["dag_run"]))
            event.extra = night

    return emit
