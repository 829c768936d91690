"""Logs to compare methods on: the simulated sales team, or any file of cases, and how their cases are divided."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from models.actions.action_log import FIRST_ACTION, ActionLog, Prefixes, prefixes_of
from pipeline.dataset.action_examples import ActionExamples, NamedLog, attribute_hashes, one_in_ten
from pipeline.simulator.sales_cases import SalesCase, SalesSettings, right_remainder, simulate_cases

SALES = "sales"
VALIDATION, TEST = PARTS = ("validation", "test")
_TRAINING_SHARE = 2 / 3
_DAY_SECONDS = 86_400
_SHORTEST = 2  # actions done, of a moment that is measured


def open_log(dataset: str, path: Path | None) -> NamedLog:
    """The simulated sales team, or the log in a CSV file: case, action and time are its first three columns.

    Raises: ValueError: for another name, or a file that is no such log; FileNotFoundError: without the file.
    """
    if dataset == SALES:
        return log_of_sales(simulate_cases(SalesSettings()))
    if path is None or not path.is_file():
        raise FileNotFoundError(
            f"{path or 'no file'}: name the CSV file of the log {dataset!r}, or use --dataset {SALES}"
        )
    lines = pd.read_csv(path)
    if len(lines.columns) < 3:
        raise ValueError(f"{path} has {len(lines.columns)} columns; a log has case, action and time, in this order")
    lines = lines.iloc[:, :3].set_axis(["case", "action", "time"], axis=1)
    try:
        lines["time"] = pd.to_datetime(lines["time"])
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: its third column is no time: {error}") from None
    return _named(lines.astype({"case": str, "action": str}))


def log_of_sales(cases: list[SalesCase]) -> NamedLog:
    """Simulated cases with their attributes; all have ended."""
    lines = pd.DataFrame(
        [
            (case.case, action, moment)
            for case in cases
            for action, moment in zip(case.actions, case.times, strict=True)
        ],
        columns=["case", "action", "time"],
    )
    named = _named(lines)
    by_id = {case.case: case for case in cases}
    ordered = [by_id[each] for each in named.case_ids]
    attributes = [[f"segment={c.segment}", f"channel={c.channel}", f"region={c.region}"] for c in ordered]
    known = replace(
        named.log,
        attributes=attribute_hashes(attributes),
        numbers=np.array([[case.employees] for case in ordered], np.float32),
        won=np.array([case.won for case in ordered], np.float32),
    )
    return replace(named, log=known, agents=np.array([case.agent for case in ordered], object))


def divided(named: NamedLog, *, seed: int, longest_past: int, longest_rest: int) -> ActionExamples:
    """The first two thirds of the cases by start train, a tenth of them validates; the others' moments test."""
    n_train = int(len(named.log) * _TRAINING_SHARE)
    row = np.arange(len(named.log))
    moments = prefixes_of(named.log, _SHORTEST)
    return ActionExamples(
        named,
        row < n_train,
        one_in_ten(named.case_ids),
        moments.select(moments.rows >= n_train),
        seed=seed,
        longest_past=longest_past,
        longest_rest=longest_rest,
    )


def part_of(named: NamedLog, part: str) -> NamedLog:
    """The log on which a comparison of a part of PARTS runs; of `validation` the first two thirds alone, which are then
    divided as the whole log is, so that no case of the test is looked at.

    Raises: ValueError: for an unknown part.
    """
    if part not in PARTS:
        raise ValueError(f"unknown part {part!r}; known: {', '.join(PARTS)}")
    if part == TEST:
        return named
    first = np.arange(int(len(named.log) * _TRAINING_SHARE))
    return replace(
        named,
        log=named.log.select(first),
        case_ids=named.case_ids[first],
        agents=named.agents[first],
        ended_days=named.ended_days[first],
    )


def without_static(named: NamedLog) -> NamedLog:
    """The same log, nothing known of the customers."""
    log = named.log
    blank = replace(log, attributes=np.zeros_like(log.attributes), numbers=np.full_like(log.numbers, np.nan))
    return replace(named, log=blank)


def perfect_remainders(named: NamedLog, moments: Prefixes) -> list[tuple[int, ...]]:
    """What a perfect knower of the sales generator predicts: how the case goes on by the right procedure."""
    cases = {case.case: case for case in simulate_cases(SalesSettings())}
    index = {name: number + FIRST_ACTION for number, name in enumerate(named.action_names)}
    names = ("",) * FIRST_ACTION + named.action_names
    found = []
    for row, end in zip(moments.rows.tolist(), moments.ends.tolist(), strict=True):
        case = cases[named.case_ids[row]]
        done = tuple(names[action] for action in named.log.case(row)[:end])
        rest = right_remainder(case.segment, case.channel, case.employees, done)
        found.append(tuple(index[action] for action in rest))
    return found


def _named(lines: pd.DataFrame) -> NamedLog:
    """A log without attributes, its cases in order of their first action; equal moments keep the order of the file."""
    lines = lines.sort_values(["case", "time"], kind="stable").reset_index(drop=True)
    names = tuple(sorted(lines["action"].unique()))
    ids, starts = np.unique(lines["case"].to_numpy(object), return_index=True)
    seconds = lines["time"].to_numpy().astype("datetime64[s]").astype(np.int64)
    n = len(ids)
    log = ActionLog(
        offsets=np.append(starts, len(lines)).astype(np.int64),
        actions=(np.searchsorted(names, lines["action"].to_numpy(object)) + FIRST_ACTION).astype(np.int32),
        seconds=seconds,
        local_hours=((seconds % 86_400) / 3_600).astype(np.float32),
        weekdays=((seconds // 86_400 + 3) % 7).astype(np.int8),
        attributes=np.zeros((n, 1), np.int32),
        numbers=np.zeros((n, 0), np.float32),
        won=np.full(n, np.nan, np.float32),
        n_actions=len(names) + FIRST_ACTION,
    )
    order = np.lexsort((np.arange(n), log.first_seconds))
    return NamedLog(
        log.select(order),
        ids[order],
        np.full(n, None, object),
        names,
        log.seconds[log.offsets[1:] - 1][order] // 86_400,
    )
