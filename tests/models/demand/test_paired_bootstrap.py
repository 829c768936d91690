import numpy as np
import pytest

from models.demand.paired_bootstrap import WeekErrors, differences

N, WINDOWS = 300, 4


def errors_of(errors: np.ndarray) -> list[WeekErrors]:
    """Windows of these absolute errors [WINDOWS, N], of 2 units sold each."""
    return [WeekErrors(np.full(N, 2.0), {"week WAPE": each}) for each in errors]


def drawn(shift: float, seed: int = 0) -> tuple[list[WeekErrors], list[WeekErrors]]:
    """Two methods, the first worse by `shift` on average."""
    rng = np.random.default_rng(seed)
    shared = rng.gamma(1.0, 1.0, (WINDOWS, N))
    return errors_of(shared + shift + rng.normal(0.0, 0.1, (WINDOWS, N))), errors_of(shared)


ALL = [np.ones(N, dtype=bool)] * WINDOWS


def test_a_difference_that_is_there_is_found_and_one_that_is_not_is_not() -> None:
    (better,) = differences(*drawn(-0.1), ALL, resamples=300)
    assert better["difference"] == pytest.approx(-0.05, abs=0.01)
    assert better["low"] <= better["difference"] <= better["high"] < 0
    (same,) = differences(*drawn(0.0), ALL, resamples=300)
    assert same["low"] < 0 < same["high"]


def test_four_fifths_and_more_of_intervals_hold_the_truth() -> None:
    held = [
        (found["low"] <= 0.0 <= found["high"])
        for seed in range(40)
        for found in differences(*drawn(0.0, seed), ALL, 200)
    ]
    assert np.mean(held) > 0.8


def test_only_chosen_products_count() -> None:
    ours, other = drawn(0.0)
    half = [np.arange(N) < N // 2] * WINDOWS
    for errors in ours:
        errors.losses["week WAPE"][N // 2 :] += 100.0
    (found,) = differences(ours, other, half, resamples=50)
    assert abs(found["difference"]) < 0.05
