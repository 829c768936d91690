"""Rows of plans: one per open case, in the contract's columns, by the model or by counts where there is none."""

from dataclasses import asdict
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from models.action_architectures import ACTION_ARCHITECTURES
from models.actions.action_log import prefixes_of
from models.baselines.action_remainders import MedoidRemainder
from models.next_actions import NextActions
from pipeline.dataset.action_batches import action_batch
from pipeline.dataset.action_plan_rows import MEDOID, NO_MODEL, ONLY_UNKNOWN, KnownCases, plan_rows
from pipeline.dataset.attribute_effects import usual_values
from pipeline.tables.action_plans import ACTION_PLANS
from tests.models.actions.logs import MONDAY, log_of

NAMES = ("call", "email", "offer", "visit", "close")
DAY = date(2025, 2, 1)
USUAL = usual_values([["segment=private"], ["segment=company"]], [[{"name": "employees", "value": 2.0}]])
KNOWN = KnownCases(NAMES, None, USUAL)


def rows_of(*cases: list[str]) -> pa.RecordBatch:
    """Open cases of these actions, a day apart."""
    days = [[MONDAY + 86_400 * step for step in range(len(case))] for case in cases]
    return pa.RecordBatch.from_pydict(
        {
            "case_id": [f"K{number}" for number in range(len(cases))],
            "agent": pa.array(["ann"] * len(cases)),
            "last_acted_on": pa.array([date(2025, 1, 7)] * len(cases), pa.date32()),
            "actions": pa.array([list(case) for case in cases]),
            "seconds": pa.array(days, pa.list_(pa.int64())),
            "local_hours": pa.array([[9.0] * len(case) for case in cases]),
            "weekdays": pa.array([[0] * len(case) for case in cases], pa.list_(pa.int8())),
            "attributes": pa.array([["segment=private"]] * len(cases)),
            "numbers": pa.array([[{"name": "employees", "value": 2.0}]] * len(cases)),
        }
    )


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A small untrained model with outcomes."""
    model = NextActions(asdict(ACTION_ARCHITECTURES["actions_lstm"]), NAMES, 1, True)
    log = log_of([0, 1, 4], [2, 3, 4])
    model.adapt(action_batch(log, prefixes_of(log), longest_past=5, longest_rest=5))
    file: Path = tmp_path_factory.mktemp("model") / "model.keras"
    model.save(file)
    return file.read_bytes()


def test_a_plan_states_its_probabilities_and_what_it_rests_on(model_file: bytes) -> None:
    found = plan_rows(rows_of(["call", "email"], ["visit"], ["dance"]), model_file, "m/1", DAY, KNOWN)
    assert set(found.schema.names) == set(ACTION_PLANS.column_names)
    for row in found.to_pylist():
        assert row["steps"][0]["action"] == row["next_action"] in NAMES
        assert 0.0 < row["next_probability"] <= 1.0
        assert row["remaining_steps"] >= 1.0
        assert row["remaining_days"] > 0.0
        assert 0.0 <= row["win_probability"] <= 1.0
        assert all(step["days"] > 0 for step in row["steps"])
        assert row["best_action"] in NAMES
        assert 0.0 <= row["best_win_probability"] <= 1.0
        assert sum(row["attention"]) == pytest.approx(1.0, abs=1e-5)
        assert [each["attribute"] for each in row["attribute_effects"]] == ["segment=private", "employees=2"]
    assert [row["fallback"] for row in found.to_pylist()] == [None, None, ONLY_UNKNOWN]
    assert [len(row["attention"]) for row in found.to_pylist()] == [2, 1, 1]


def test_a_case_is_planned_alike_whatever_stands_beside_it(model_file: bytes) -> None:
    cases = (["call", "email"], ["visit"], ["call", "offer", "visit"])
    together = plan_rows(rows_of(*cases), model_file, "m/2", DAY, KNOWN).to_pylist()[0]
    alone = plan_rows(rows_of(cases[0]), model_file, "m/2", DAY, KNOWN).to_pylist()[0]
    assert together["next_action"] == alone["next_action"]
    assert together["next_probability"] == pytest.approx(alone["next_probability"], abs=1e-6)
    assert together["remaining_steps"] == pytest.approx(alone["remaining_steps"])


def test_before_the_first_champion_known_remainders_are_counted() -> None:
    method = MedoidRemainder()
    method.fit(log_of([0, 1, 4], [0, 1, 4], [3, 4]), np.ones(3))
    found = plan_rows(
        rows_of(["call", "email"], ["visit"]), None, MEDOID, DAY, KnownCases(NAMES, method, KNOWN.usual)
    ).to_pylist()
    assert [row["next_action"] for row in found] == ["close", "close"]
    assert {row["fallback"] for row in found} == {NO_MODEL}
    assert [row["win_probability"] for row in found] == [None, None]
