"""The rhythm of baskets: each column by its definition, from nothing but what came before."""

from itertools import pairwise
from statistics import mean, median, pstdev
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from models.fields import N_RHYTHM_FEATURES, RHYTHM_FEATURES
from pipeline.dataset.histories import Histories, read_histories
from pipeline.dataset.rhythm import rhythm_of
from tests.pipeline.dataset.sequences import SCHEMA, random_sequences


def histories_of(rows: list[dict[str, Any]]) -> Histories:
    return read_histories(pa.Table.from_pylist(rows, schema=SCHEMA))


def by_definition(row: dict[str, Any], n_baskets: int) -> dict[str, float]:
    """Of the first baskets of a funnel."""
    days, quantities = row["sold_on"][:n_baskets], row["quantities"][:n_baskets]
    gaps = [(after - before).days for before, after in pairwise(days)]
    logs = [float(np.log1p(gap)) for gap in gaps]
    latest = logs[::-1] + [0.0] * 3
    lines = [float(np.log1p(len(basket))) for basket in quantities]
    units = [float(np.log1p(sum(basket))) for basket in quantities]
    weekdays = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    return {
        **{f"log_gap_{back}": latest[back - 1] for back in (1, 2, 3)},
        **{f"has_gap_{back}": float(len(gaps) >= back) for back in (1, 2, 3)},
        "mean_log_gap": mean(logs) if logs else 0.0,
        "deviation_of_log_gap": pstdev(logs) if logs else 0.0,
        "log_median_gap": float(np.log1p(median(gaps))) if gaps else 0.0,
        "log_least_gap": min(logs, default=0.0),
        "log_greatest_gap": max(logs, default=0.0),
        "log_gaps": float(np.log1p(len(gaps))),
        "log_lines": lines[-1],
        "mean_log_lines": mean(lines),
        "log_units": units[-1],
        "mean_log_units": mean(units),
        **{f"last_on_{name}": float(days[-1].weekday() == day) for day, name in enumerate(weekdays)},
    }


@pytest.mark.parametrize("seed", range(5))
def test_each_column_is_as_defined_for_every_prefix_in_any_order(seed: int) -> None:
    rows, random = random_sequences(12, seed), np.random.default_rng(seed)
    histories = histories_of(rows)
    funnels = random.permutation(np.repeat(np.arange(12), 3))
    sizes = np.diff(histories.basket_offsets)[funnels]
    n_baskets = random.integers(1, sizes + 1)
    found = rhythm_of(histories, funnels, histories.basket_offsets[funnels] + n_baskets)
    assert found.dtype == np.float32
    expected = [by_definition(rows[funnel], n) for funnel, n in zip(funnels, n_baskets, strict=True)]
    np.testing.assert_allclose(found, [[each[name] for name in RHYTHM_FEATURES] for each in expected], atol=1e-5)


def test_a_first_basket_has_no_gap_and_no_missing_number() -> None:
    histories = histories_of(random_sequences(4))
    found = rhythm_of(histories, np.arange(4), histories.basket_offsets[:-1] + 1)
    of_gaps = [column for column, name in enumerate(RHYTHM_FEATURES) if "gap" in name]
    assert not found[:, of_gaps].any()
    assert np.isfinite(found).all()


def test_two_baskets_of_a_day_are_a_gap_of_no_days() -> None:
    row = random_sequences(1)[0]
    row["gap_days"][1] = 0
    histories = histories_of([row])
    found = dict(zip(RHYTHM_FEATURES, rhythm_of(histories, np.zeros(1, int), np.array([2]))[0], strict=True))
    assert found["has_gap_1"] == 1.0
    assert found["log_gap_1"] == found["log_median_gap"] == found["log_greatest_gap"] == 0.0


def test_what_comes_later_changes_nothing() -> None:
    rows = random_sequences(6, seed=3)
    histories = histories_of(rows)
    ends = histories.basket_offsets[:-1] + 1 + np.arange(6) % np.maximum(np.diff(histories.basket_offsets) - 1, 1)
    for row, end in zip(rows, ends - histories.basket_offsets[:-1], strict=True):
        row["gap_days"][end:] = [99] * len(row["gap_days"][end:])
        row["quantities"][end:] = [[50.0] * len(basket) for basket in row["quantities"][end:]]
    later = histories_of(rows)
    funnels = np.arange(6)
    np.testing.assert_array_equal(rhythm_of(histories, funnels, ends), rhythm_of(later, funnels, ends))


def test_no_examples_are_no_rows() -> None:
    none = np.zeros(0, np.int64)
    assert rhythm_of(histories_of(random_sequences(2)), none, none).shape == (0, N_RHYTHM_FEATURES)
