"""Scores of the predicted days count every customer, also those who did not come back."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from pipeline.dataset.examples import NextBasketExamples
from pipeline.evaluation.days import BRIER, CONCORDANCE, day_scores, measure_kaplan_meier
from pipeline.settings import TrainingSettings
from tests.factories import BUSINESS_DATE, sequence
from tests.pipeline.dataset.sequences import random_sequences, write_sequences

WINDOW = 14
CUTOFF = BUSINESS_DATE - timedelta(days=WINDOW)


def examples(folder: Path, rows: list[dict[str, object]]) -> NextBasketExamples:
    return NextBasketExamples.open(
        *write_sequences(folder, rows, 25), BUSINESS_DATE, TrainingSettings(holdout_days=WINDOW)
    )


def test_certain_and_right_scores_zero_and_certain_and_wrong_one() -> None:
    days, came = np.array([0, 2, 3]), np.array([True, True, False])
    is_out = np.array([[0, 0, 0], [1, 1, 0], [1, 1, 1]], float)
    assert day_scores(is_out, days, came) == {BRIER: 0.0, CONCORDANCE: 1.0}
    assert day_scores(1.0 - is_out, days, came) == {BRIER: 1.0, CONCORDANCE: 0.0}


def test_a_customer_who_never_came_counts() -> None:
    never = np.array([False]), np.array([3])
    hopeful, resigned = np.full((1, 3), 0.2), np.full((1, 3), 0.9)
    assert day_scores(hopeful, never[1], never[0])[BRIER] == pytest.approx(0.64)
    assert day_scores(resigned, never[1], never[0]) == {BRIER: pytest.approx(0.01)}


def test_waits_are_the_truth_of_the_window(tmp_path: Path) -> None:
    """Days are counted from the first held-out day; a customer with one basket before is left out."""

    def row(name: str, *ages: int) -> dict[str, object]:
        days = [BUSINESS_DATE - timedelta(days=age) for age in ages]
        return sequence(funnel_id=name, sold_on=days, products=[[3]] * len(days))

    rows = [row("at once", 30, 20, 14), row("later", 30, 20, 10, 2), row("never", 40, 15), row("once before", 20, 3)]
    (waits,) = examples(tmp_path, rows).waits(10, limit=10)
    assert waits.days.tolist() == [0, 4, WINDOW]
    assert waits.has_come.tolist() == [True, True, False]
    assert waits.elapsed_days.tolist() == [6, 6, 1]
    np.testing.assert_array_equal(waits.batch["elapsed_days"], waits.elapsed_days)


def test_nothing_of_the_window_reaches_the_input(tmp_path: Path) -> None:
    rows = random_sequences(40)
    changed = [
        row | {name: [value for value, day in zip(row[name], row["sold_on"], strict=True) if day < CUTOFF]}
        for row in rows
        for name in ["sold_on"]
    ]
    kept = [sum(day < CUTOFF for day in row["sold_on"]) for row in rows]
    cut = [
        {name: value[:n] if isinstance(value, list) and name != "attributes" else value for name, value in row.items()}
        for row, n in zip(rows, kept, strict=True)
    ]
    assert [row["sold_on"] for row in cut] == [row["sold_on"] for row in changed]
    whole, before = (list(examples(tmp_path / name, some).waits(7, 40)) for name, some in (("a", rows), ("b", cut)))
    assert len(whole) == len(before) > 1
    for one, other in zip(whole, before, strict=True):
        for name in one.batch:
            np.testing.assert_array_equal(one.batch[name], other.batch[name], err_msg=name)
        assert not other.has_come.any()
    gaps = [examples(tmp_path / name, some).training_gaps() for name, some in (("a", rows), ("b", cut))]
    np.testing.assert_array_equal(gaps[0], gaps[1])


def test_the_limit_counts_customers(tmp_path: Path) -> None:
    assert sum(len(waits.days) for waits in examples(tmp_path, random_sequences(80)).waits(16, 30)) == 30


def test_a_shared_survival_function_beats_a_coin(tmp_path: Path) -> None:
    scores = measure_kaplan_meier(examples(tmp_path, random_sequences(80)), 80)
    assert scores[BRIER] < 0.25
