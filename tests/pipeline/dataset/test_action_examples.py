"""What teaches ended before the held-out days; what measures ended in them; open cases do neither."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.actions.action_log import Prefixes
from models.special_ids import UNKNOWN
from pipeline.dataset.action_examples import ActionExamples, NamedLog, read_taught_log
from pipeline.dataset.action_planner import extended
from pipeline.settings import TrainingSettings
from tests.models.actions.logs import MONDAY, log_of

N = 40
FIRST_DAY = MONDAY // 86_400
SETTINGS = TrainingSettings(holdout_days=10)
DAY = date(1970, 1, 1) + timedelta(days=FIRST_DAY + N + 5)
CUTOFF = FIRST_DAY + N + 5 - 10


def named_log(delay: int = 0) -> NamedLog:
    """Cases of three actions a day apart, each begun a day after the one before; the last three are open."""
    log = log_of(*[[0, 1, 2]] * N)
    last = log.seconds[log.offsets[1:] - 1] // 86_400
    ended = (last + delay).astype(np.float64)
    ended[-3:] = np.nan
    ids = np.array([f"K{number:02}" for number in range(N)], object)
    return NamedLog(log, ids, np.full(N, None, object), tuple("abcde"), ended)


def examples(named: NamedLog) -> ActionExamples:
    return ActionExamples.as_of(named, DAY, SETTINGS, longest_past=5, longest_rest=5)


@pytest.mark.parametrize("delay", [0, 4])
def test_no_case_both_teaches_and_measures_and_open_ones_do_neither(delay: int) -> None:
    named = named_log(delay)
    made = examples(named)
    teaches, measures = set(made.train.rows.tolist()), set(made.held_out.rows.tolist())
    assert teaches
    assert measures
    assert not teaches & measures
    assert named.ended_days[list(teaches)].max() < CUTOFF <= named.ended_days[list(measures)].min()
    assert not (teaches | measures) & {N - 3, N - 2, N - 1}


def test_held_out_moments_lie_in_the_held_out_days_or_as_much_earlier_as_silence_tells_the_end() -> None:
    for delay in (0, 4):
        named = named_log(delay)
        held_out = examples(named).held_out
        done = named.log.seconds[named.log.offsets[held_out.rows] + held_out.ends - 1] / 86_400
        assert done.min() >= CUTOFF - delay
        assert len(held_out) > 0


def test_what_happens_after_the_held_out_days_began_changes_no_training_example() -> None:
    named = named_log()
    before = examples(named)
    later = named.log.seconds >= CUTOFF * 86_400
    other = replace(named, log=replace(named.log, actions=np.where(later, 5, named.log.actions)))
    after = examples(other)
    np.testing.assert_array_equal(before.train.rows, after.train.rows)
    one, two = before.arrays(before.train), after.arrays(after.train)
    for name, array in one.items():
        np.testing.assert_array_equal(array, two[name], err_msg=name)


def test_a_case_with_one_more_action_is_the_case_as_if_it_had_been_done() -> None:
    log = log_of([0, 1, 2], [3, 0])
    longer = extended(log, Prefixes(np.array([0, 1]), np.array([2, 2])), np.array([7, 6]), np.array([1.0, 1.5]))
    wanted = log_of([0, 1, 4], [3, 0, 3])
    np.testing.assert_array_equal(longer.offsets, wanted.offsets)
    np.testing.assert_array_equal(longer.actions, wanted.actions)
    np.testing.assert_array_equal(longer.seconds[:3], wanted.seconds[:3])
    np.testing.assert_array_equal(longer.weekdays[:5], wanted.weekdays[:5])
    assert longer.seconds[5] == longer.seconds[4] + 129_600
    assert (longer.local_hours[5], longer.weekdays[5]) == (12.0, 3)


def test_an_action_that_no_ended_case_did_is_unknown(tmp_path: Path) -> None:
    """Also one that a held-out case did: what the model knows must not depend on what measures it."""
    days = [date(2026, 1, 1), date(2026, 2, 27), date(2026, 2, 28)]
    names = [("call", "sign"), ("call", "dance"), ("call", "sing")]
    lines = [
        {
            "case_id": f"K{case}",
            "position": place,
            "acted_at_utc": datetime(day.year, day.month, day.day, 9 + place, tzinfo=UTC),
            "local_hour": 9.0 + place,
            "acted_on": day,
            "action": name,
        }
        for case, (day, done) in enumerate(zip(days, names, strict=True))
        for place, name in enumerate(done, start=1)
    ]
    known = [
        {"case_id": f"K{case}", "agent": None, "outcome": None, "ended_on": ended, "attributes": None, "numbers": None}
        for case, ended in enumerate((days[0], days[1], None))
    ]
    types = {"agent": pa.string(), "outcome": pa.string(), "attributes": pa.list_(pa.string())}
    for name, rows in (("actions", lines), ("cases", known)):
        (tmp_path / name).mkdir()
        table = pa.Table.from_pylist(rows)
        fields = [pa.field(each.name, types.get(each.name, each.type)) for each in table.schema]
        pq.write_table(table.cast(pa.schema(fields)), tmp_path / name / "part.parquet")
    named = read_taught_log(tmp_path / "actions", tmp_path / "cases", date(2026, 3, 1), SETTINGS)
    assert named.action_names == ("call", "sign")
    assert [named.log.case(row).tolist() for row in range(3)] == [[3, 4], [3, UNKNOWN], [3, UNKNOWN]]
    assert named.ended_days.tolist()[:2] == [20_454.0, 20_511.0]
    assert np.isnan(named.ended_days[2])
