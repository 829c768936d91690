"""Rows of `action_plans` for open cases, made in Spark's executors.

An input row is an open case: case_id, agent, last_acted_on, and lists with one value per action in order of time:
actions (names), seconds since 1970 UTC, local_hours, weekdays (Monday 0); attributes (name=value) and numbers (name,
value).
"""

import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from models.actions.action_log import FIRST_ACTION, ActionLog, Prefixes
from models.actions.consensus import Remainder
from models.baselines.action_remainders import MedoidRemainder
from models.keys import keys_of
from models.special_ids import UNKNOWN
from pipeline.dataset.action_examples import attribute_hashes, number_array
from pipeline.dataset.action_planner import ActionPlanner, Plans
from pipeline.dataset.attribute_effects import UsualValues, attribute_effects
from pipeline.tables.action_plans import ACTION_PLANS

MEDOID = "medoid"
NO_MODEL, ONLY_UNKNOWN = "no_model", "only_unknown_actions"
_UNNAMED = "unknown"
_CANDIDATES = 3  # likeliest next actions of which the chance to win is compared
_LEAST_PROBABILITY = 0.05  # of such an action: what hardly ever followed teaches nothing of its effect
_planners: dict[str, ActionPlanner] = {}
_STEP = pa.struct([("action", pa.string()), ("probability", pa.float64()), ("days", pa.float64())])
_EFFECT = pa.struct([("attribute", pa.string()), ("effect", pa.float64())])


@dataclass(frozen=True)
class KnownCases:
    """What is counted of all cases for their planning.

    Args:
        action_names: names of the indices that `method` knows.
        method: trained on the cases that ended; None where none of them has two actions.
        usual: what attributes usually are.
    """

    action_names: tuple[str, ...]
    method: MedoidRemainder | None
    usual: UsualValues


def open_log(rows: pa.RecordBatch, action_names: tuple[str, ...], n_numbers: int) -> ActionLog:
    """The cases of some rows as a log; actions that are not among the names become UNKNOWN."""
    index = {name: number + FIRST_ACTION for number, name in enumerate(action_names)}
    actions = rows["actions"].to_pylist()
    lengths = [len(each) for each in actions]
    numbers = number_array(rows["numbers"].to_pylist())
    filled = np.full((len(actions), n_numbers), np.nan, np.float32)
    kept = min(n_numbers, numbers.shape[1])
    filled[:, :kept] = numbers[:, :kept]
    return ActionLog(
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        actions=np.array([index.get(name, UNKNOWN) for each in actions for name in each], np.int32),
        seconds=np.concatenate([np.asarray(each, np.int64) for each in rows["seconds"].to_pylist()]),
        local_hours=np.concatenate([np.asarray(each, np.float32) for each in rows["local_hours"].to_pylist()]),
        weekdays=np.concatenate([np.asarray(each, np.int8) for each in rows["weekdays"].to_pylist()]),
        attributes=attribute_hashes(rows["attributes"].to_pylist()),
        numbers=filled,
        won=np.full(len(actions), np.nan, np.float32),
        n_actions=len(action_names) + FIRST_ACTION,
    )


def plan_rows(
    rows: pa.RecordBatch,
    model: bytes | None,
    version: str,
    business_date: date,
    known_cases: KnownCases,
) -> pa.RecordBatch:
    """One row per case: by the model, or by the medoid of known remainders where there is none."""
    if model is None:
        return _by_medoid(rows, version, business_date, known_cases)
    planner = _planner(version, model)
    names = ("", _UNNAMED, "", *planner.model.action_names)
    log = open_log(rows, planner.model.action_names, planner.model.n_numbers)
    moments = Prefixes(np.arange(len(log)), log.lengths)
    plans = planner.plan(log, moments, keys_of(np.array(rows["case_id"].to_pylist(), object)) & np.int64(2**63 - 1))
    first = [float(plans.next_probabilities[row, rest[0]]) for row, rest in enumerate(plans.remainders)]
    steps = [
        [
            {"action": names[action], "probability": first[row] if position == 0 else None, "days": days}
            for position, (action, days) in enumerate(zip(rest, plans.step_days[row], strict=True))
        ]
        for row, rest in enumerate(plans.remainders)
    ]
    next_ids = np.array([rest[0] for rest in plans.remainders])
    best = _best_next(planner, log, moments, plans)
    known = np.array([(log.case(row) != UNKNOWN).any() for row in range(len(log))])
    return _rows(
        rows,
        business_date,
        {
            "steps": steps,
            "next_probability": first,
            "plan_probability": plans.plan_probabilities.tolist(),
            "remaining_steps": plans.remaining_steps.tolist(),
            "remaining_days": plans.remaining_days.tolist(),
            "win_probability": [None] * len(log)
            if plans.win_probabilities is None
            else plans.win_probabilities.astype(float).tolist(),
            "best_action": [None if action is None else names[action] for action, _ in best],
            "best_win_probability": [probability for _, probability in best],
            "attention": [
                plans.attention[row, : min(n, plans.attention.shape[1])] for row, n in enumerate(log.lengths)
            ],
            "attribute_effects": attribute_effects(
                lambda cases: planner.next_probability(cases, moments, next_ids),
                log,
                rows["attributes"].to_pylist(),
                rows["numbers"].to_pylist(),
                known_cases.usual,
            ),
            "fallback": [None if each else ONLY_UNKNOWN for each in known],
            "model_version": [version] * len(log),
        },
    )


def _best_next(
    planner: ActionPlanner, log: ActionLog, moments: Prefixes, plans: Plans
) -> list[tuple[int | None, float | None]]:
    """Of the likeliest next actions, the one after which most such cases are won, and that probability.

    It says what followed in the past, not what the action brings about.
    """
    if plans.win_probabilities is None:
        return [(None, None)] * len(log)
    ranked = np.argsort(-plans.next_probabilities, axis=1, kind="stable")[:, :_CANDIDATES]
    rows = np.arange(len(log))
    after = np.full(ranked.shape, -1.0)
    for place in range(ranked.shape[1]):
        actions = ranked[:, place]
        won = planner.win_after(log, moments, actions, plans.days_of_action[rows, actions].astype(np.float64))
        # The likeliest one is compared however improbable it is.
        after[:, place] = np.where(
            (place == 0) | (plans.next_probabilities[rows, actions] >= _LEAST_PROBABILITY), won, -1.0
        )
    best = after.argmax(axis=1)
    return [(int(ranked[row, best[row]]), float(after[row, best[row]])) for row in rows]


def _by_medoid(
    rows: pa.RecordBatch,
    version: str,
    business_date: date,
    known_cases: KnownCases,
) -> pa.RecordBatch:
    n = rows.num_rows
    method = known_cases.method
    if method is None:
        remainders: list[Remainder] = [(UNKNOWN,)] * n
        probabilities = np.zeros((n, FIRST_ACTION))
        names: tuple[str, ...] = ("", _UNNAMED, "")
    else:
        names = ("", _UNNAMED, "", *known_cases.action_names)
        log = open_log(rows, known_cases.action_names, 0)
        moments = Prefixes(np.arange(n), log.lengths)
        remainders, probabilities = method.predict(log, moments), method.next_probabilities(log, moments)
    first = [float(probabilities[row, rest[0]]) for row, rest in enumerate(remainders)]
    steps = [
        [
            {"action": names[action], "probability": first[row] if position == 0 else None, "days": None}
            for position, action in enumerate(rest)
        ]
        for row, rest in enumerate(remainders)
    ]
    return _rows(
        rows,
        business_date,
        {
            "steps": steps,
            "next_probability": first,
            "plan_probability": [None] * n,
            "remaining_steps": [float(len(rest)) for rest in remainders],
            "remaining_days": [None] * n,
            "win_probability": [None] * n,
            "best_action": [None] * n,
            "best_win_probability": [None] * n,
            "attention": [[]] * n,
            "attribute_effects": [[]] * n,
            "fallback": [NO_MODEL] * n,
            "model_version": [version] * n,
        },
    )


def _rows(rows: pa.RecordBatch, business_date: date, found: dict[str, list[Any]]) -> pa.RecordBatch:
    """The columns of the contract."""
    n = rows.num_rows
    optional = ("plan_probability", "remaining_days", "win_probability", "best_win_probability")
    columns = {
        "case_id": rows["case_id"],
        "agent": rows["agent"].cast(pa.string()),
        "last_action": pa.array([each[-1] for each in rows["actions"].to_pylist()], pa.string()),
        "last_acted_on": rows["last_acted_on"],
        "steps": pa.array(found["steps"], pa.list_(_STEP)),
        "next_action": pa.array([each[0]["action"] for each in found["steps"]], pa.string()),
        "next_probability": pa.array(found["next_probability"], pa.float64()),
        "remaining_steps": pa.array(found["remaining_steps"], pa.float64()),
        **{name: pa.array(found[name], pa.float64()) for name in optional},
        "best_action": pa.array(found["best_action"], pa.string()),
        "attention": pa.array(found["attention"], pa.list_(pa.float64())),
        "attribute_effects": pa.array(found["attribute_effects"], pa.list_(_EFFECT)),
        "fallback": pa.array(found["fallback"], pa.string()),
        "model_version": pa.array(found["model_version"], pa.string()),
        "business_date": pa.array([business_date] * n, pa.date32()),
    }
    return pa.RecordBatch.from_pydict({name: columns[name] for name in ACTION_PLANS.column_names})


def _planner(version: str, model: bytes) -> ActionPlanner:
    """The planner, loaded once per Python worker; Spark uses a worker again for later tasks."""
    if version not in _planners:
        from models.saved_files import load_next_actions_model

        _planners.clear()
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "model.keras"
            file.write_bytes(model)
            _planners[version] = ActionPlanner(load_next_actions_model(file))
    return _planners[version]
