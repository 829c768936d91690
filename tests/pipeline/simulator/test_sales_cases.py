"""The simulated sales team: the same settings make the same files, the truth lies apart, noise is as set."""

import csv
from pathlib import Path

import pytest

from pipeline.simulator.sales_cases import ACTIONS, SalesSettings, right_remainder, simulate_cases
from pipeline.simulator.sales_files import ceiling, write_sales

SMALL = SalesSettings(cases=300, agents=6, days=120, seed=1)


def test_the_same_settings_make_the_same_files(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_sales(SMALL, tmp_path / name)
    for file in ("raw/actions.csv", "raw/cases.csv", "truth/cases.csv"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_raw_files_end_before_the_business_date_and_open_cases_have_no_outcome(tmp_path: Path) -> None:
    raw = write_sales(SMALL, tmp_path)
    with (raw / "actions.csv").open() as file:
        actions = list(csv.DictReader(file))
    with (raw / "cases.csv").open() as file:
        cases = {row["case_id"]: row for row in csv.DictReader(file)}
    assert max(row["acted_at"] for row in actions) < str(SMALL.business_date)
    assert {row["action"] for row in actions} <= set(ACTIONS)
    assert {row["case_id"] for row in actions} == set(cases)
    counts = {case: sum(row["case_id"] == case for row in actions) for case in list(cases)[-40:]}
    whole = {case.case: len(case.actions) for case in simulate_cases(SMALL)}
    for case, count in counts.items():
        assert (cases[case]["outcome"] == "") == (count < whole[case])


def test_without_noise_every_case_is_the_right_procedure() -> None:
    for case in simulate_cases(SMALL.model_copy(update={"random_share": 0.0})):
        assert case.actions == right_remainder(case.segment, case.channel, case.employees, ())


def test_a_quarter_of_the_actions_is_at_random() -> None:
    cases = simulate_cases(SalesSettings(cases=2000, seed=5))
    right = [
        action == right_remainder(case.segment, case.channel, case.employees, case.actions[:position])[0]
        for case in cases
        for position, action in enumerate(case.actions)
    ]
    # An action at random is the right one once in ten times.
    assert sum(right) / len(right) == pytest.approx(1 - 0.25 * 0.9, abs=0.03)


def test_errors_cost_sales() -> None:
    cases = simulate_cases(SalesSettings(cases=2000, seed=5))
    straight = [
        case for case in cases if case.actions == right_remainder(case.segment, case.channel, case.employees, ())
    ]
    share = sum(case.won for case in straight) / len(straight)
    assert share > sum(case.won for case in cases) / len(cases) + 0.1


def test_the_ceiling_is_one_minus_the_noise() -> None:
    settings = SalesSettings(cases=2000, seed=5)
    assert ceiling(simulate_cases(settings)) == pytest.approx(1 - 0.25 * 0.9, abs=0.03)
    assert ceiling(simulate_cases(settings.model_copy(update={"random_share": 0.0}))) == 1.0
