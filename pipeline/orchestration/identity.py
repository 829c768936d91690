"""Which night a run is about: its source, its business date and the name of its table versions.

A run says so by its Params. A capability's run that assets started has none: it is about the night that published those
assets, and takes all three from their events. It shares the night's name, so that it reads exactly that night's
tables, whatever was published since, and so that its own versions lie beside them under one name.
"""

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

from airflow.sdk import Param, timezone

SOURCE = "{{ source(params, triggering_asset_events) }}"
BUSINESS_DATE = "{{ business_date(params, dag_run) }}"
RUN_ID = "{{ run_name(params, run_id, triggering_asset_events) }}"

Events = Mapping[Any, Sequence[Any]]


def source(params: dict[str, Any], events: Events) -> str:
    """The run's source: the Param, else the one of the night behind the events."""
    return str(params.get("source") or _night_behind(events)["source"])


def business_date(params: dict[str, Any], dag_run: Any) -> str:
    """The run's business date: the Param, else the partition of the assets, else the local day when the run was due.

    A run that was triggered by hand or by an asset has no logical date; then the day from which it was allowed to start
    counts. All are recorded with the run, so a retry a day later still gets the same answer.
    """
    if params.get("business_date"):
        return str(params["business_date"])
    if dag_run.partition_key:
        return str(dag_run.partition_key)
    return timezone.make_naive(dag_run.logical_date or dag_run.run_after).date().isoformat()


def run_name(params: dict[str, Any], run_id: str, events: Events) -> str:
    """What the run's table versions are called: the Param, else the name of the night behind the events, else Airflow's
    run id.

    It names folders: anything but letters, digits, dot, dash and underscore becomes a dash.
    """
    name = params.get("run_name") or _night_behind(events).get("run_name") or run_id
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", name).lstrip("-._")[:200]


def _night_behind(events: Events) -> dict[str, Any]:
    """What the latest event says of its night; empty where no event started the run.

    Events of one date that came before the run began are gathered into it: those of a night that failed, say, and of
    the night that was started in its place. The latest is of the night that published everything.
    """
    found = [event for of_asset in events.values() for event in of_asset]
    return max(found, key=lambda event: event.timestamp).extra if found else {}


MACROS = {"source": source, "business_date": business_date, "run_name": run_name}


def run_params() -> dict[str, Param]:
    """The Params of a DAG that the clock or a person starts."""
    return {
        "business_date": Param(
            None, type=["null", "string"], format="date", description="YYYY-MM-DD; empty: the day the run was due"
        ),
        "source": Param(
            os.environ.get("LARDER_SOURCE", "shop"),
            type="string",
            minLength=1,
            description="a shipped source, or the path to a TOML description",
        ),
        "run_name": Param(None, type=["null", "string"], description="names the table versions; empty: the run id"),
    }
