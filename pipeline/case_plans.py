"""Published plans of open cases, and what was done in a case before: what the command line and the page show."""

from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any

import pyarrow.dataset as ds

from models.names import closest_of
from pipeline.lake.lake import Lake
from pipeline.tables.action_plans import ACTION_PLANS
from pipeline.tables.actions import ACTIONS, CASES


@dataclass(frozen=True)
class Plans:
    """Rows of `action_plans`, the likeliest to be won first; as of a business date."""

    rows: list[dict[str, Any]]
    business_date: date


@dataclass(frozen=True)
class Done:
    """One action of a case: its number from 1, and its weight in the prediction of the next one, where it has one."""

    position: int
    acted_at: datetime
    action: str
    agent: str | None
    weight: float | None


@dataclass(frozen=True)
class CasePlan:
    """A case: its plan, what was done before, oldest first, and its row of `cases`."""

    plan: dict[str, Any]
    history: list[Done]
    case: dict[str, Any]


def open_plans(lake: Lake, agent: str | None = None) -> Plans:
    """The current plans, of one agent or of all.

    Raises: LakeError: nothing is published; ValueError: there is no plan of that agent.
    """
    version = lake.resolve(ACTION_PLANS.name)
    day = lake.manifest(ACTION_PLANS.name, version).business_date
    rows = ds.dataset(lake.path(ACTION_PLANS.name, version), format="parquet").to_table().to_pylist()
    if agent is not None:
        agents = {row["agent"] for row in rows if row["agent"]}
        rows = [row for row in rows if row["agent"] == agent]
        if not rows:
            raise ValueError(f"no open case of agent {agent!r} on {day}; {closest_of(agent, sorted(agents))}")
    rows.sort(key=lambda row: (-(row["win_probability"] or 0.0), row["remaining_steps"], row["case_id"]))
    return Plans(rows, day)


def plan_of(lake: Lake, case: str, zone: tzinfo) -> CasePlan:
    """One case; times in the source's zone.

    Raises: LakeError: nothing is published, or the tables behind the plan are no longer kept;
            ValueError: the case is not open, or there is none of that name.
    """
    version = lake.resolve(ACTION_PLANS.name)
    folder = lake.path(ACTION_PLANS.name, version)
    plans = ds.dataset(folder, format="parquet")
    found = plans.to_table(filter=ds.field("case_id") == case).to_pylist()
    if not found:
        known = plans.to_table(columns=["case_id"])["case_id"].to_pylist()
        raise ValueError(f"no open case {case!r}; {closest_of(case, known)}")
    inputs = lake.manifest(ACTION_PLANS.name, version).inputs
    tables = {name: ds.dataset(lake.path(name, inputs[name]), format="parquet") for name in (ACTIONS.name, CASES.name)}
    done = tables[ACTIONS.name].to_table(filter=ds.field("case_id") == case).sort_by("position").to_pylist()
    rows = tables[CASES.name].to_table(filter=ds.field("case_id") == case).to_pylist()
    weights = found[0]["attention"]
    unread = len(done) - len(weights)
    history = [
        Done(
            row["position"],
            row["acted_at_utc"].astimezone(zone),
            row["action"],
            row["agent"],
            weights[place - unread] if weights and place >= unread else None,
        )
        for place, row in enumerate(done)
    ]
    return CasePlan(found[0], history, rows[0] if rows else {})


def steps_in_words(row: dict[str, Any], most: int = 6) -> str:
    """The planned actions in order, such as `call, send offer, sign contract`."""
    names = [step["action"] for step in row["steps"]]
    more = f", {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
