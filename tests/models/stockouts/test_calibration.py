import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit

from models.stockouts.backtest import PastShelves, judge_weeks
from models.stockouts.calibration import UNCHANGED, Calibration, calibration_error, fit_calibration
from models.stockouts.shortages import Shelves


def weeks_of(stated: np.ndarray, came: np.ndarray, n: int = 4) -> list[tuple[np.ndarray, np.ndarray]]:
    return list(zip(np.array_split(stated, n), np.array_split(came, n), strict=True))


def drawn(intercept: float, slope: float, n: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Stated probabilities, and what came by the calibration that these numbers are."""
    rng = np.random.default_rng(0)
    stated = rng.uniform(0.02, 0.98, n)
    return stated, rng.random(n) < expit(intercept + slope * logit(stated))


@pytest.mark.parametrize(("intercept", "slope"), [(0.0, 1.0), (-0.8, 0.6), (0.7, 1.5)])
def test_what_came_is_found_again(intercept: float, slope: float) -> None:
    stated, came = drawn(intercept, slope)
    found = fit_calibration(weeks_of(stated, came))
    assert found.intercept == pytest.approx(intercept, abs=0.15)
    assert found.slope == pytest.approx(slope, rel=0.15)
    assert calibration_error(found.apply(stated), came) < 0.03


@given(st.floats(-3.0, 3.0), st.floats(0.3, 3.0))
def test_it_reorders_nothing(intercept: float, slope: float) -> None:
    ordered = Calibration(intercept, slope).apply(np.linspace(0.0, 1.0, 101))
    assert (np.diff(ordered[1:]) >= -1e-12).all()
    assert ordered[0] == 0.0


def test_a_handful_of_shelves_changes_nothing() -> None:
    assert fit_calibration(weeks_of(np.full(5, 0.5), np.ones(5, dtype=bool))) == UNCHANGED
    few = fit_calibration(weeks_of(np.full(50, 0.5), np.zeros(50, dtype=bool), 2))
    assert 0.02 < few.apply(np.array([0.5]))[0] < 0.5


def test_of_one_week_half_the_correction_is_taken_however_many_shelves_it_had() -> None:
    stated, came = drawn(-0.8, 0.6)
    one, whole = fit_calibration([(stated, came)]), fit_calibration(weeks_of(stated, came))
    assert one.intercept == pytest.approx(whole.intercept / 2, abs=0.01)
    assert one.slope == pytest.approx(whole.slope**0.5, abs=0.01)


@given(st.floats(0.5, 1.5), st.floats(0.05, 0.5))
def test_weeks_that_contradict_each_other_change_little(shift: float, probability: float) -> None:
    """As after a holiday: the shelves of one week were short more often than stated, those of the next less often."""
    weeks = [drawn(shift, 1.0, 1000), drawn(-shift, 1.0, 1000)]
    assert fit_calibration(weeks).apply(np.array([probability]))[0] == pytest.approx(probability, abs=0.03)


def past(seed: int, sold: float, n: int = 200) -> PastShelves:
    """Shelves of 3 to 9 with 4 a week expected, and Poisson sales of another mean."""
    rng = np.random.default_rng(seed)
    mean = np.full((n, 7), 4.0 / 7)
    shelves = Shelves(mean, mean, np.cumsum(mean, axis=1), rng.integers(3, 10, n).astype(float), np.zeros((n, 7)))
    return PastShelves(shelves, rng.poisson(sold / 7, (n, 7)).astype(float), np.zeros(n, dtype=bool))


def test_a_week_is_judged_with_the_calibration_of_the_weeks_before_it() -> None:
    judged, calibration = judge_weeks([past(0, 2.5), past(1, 2.5), past(2, 2.5)], 0.35, "cumulative")
    alone, _ = judge_weeks([past(0, 2.5)], 0.35, "cumulative")
    changed, _ = judge_weeks([past(0, 2.5), past(1, 9.0)], 0.35, "cumulative")
    assert (judged[0].stated == alone[0].stated).all()
    assert (judged[1].stated == changed[1].stated).all()
    assert calibration.apply(np.array([0.5]))[0] < 0.4
    errors = [calibration_error(each.stated, each.happened) for each in judged]
    assert errors[2] < errors[0]


def test_a_counted_shelf_that_sold_out_was_short_and_a_planned_one_was_not() -> None:
    mean = np.full((1, 2), 1.0)
    shelves = Shelves(mean, mean, np.cumsum(mean, axis=1), np.array([3.0]), np.zeros((1, 2)))
    sold = np.array([[1.0, 2.0]])
    counted, planned = (PastShelves(shelves, sold, np.array([flag])).short_days() for flag in (True, False))
    assert counted.tolist() == [[False, True]]
    assert planned.tolist() == [[False, False]]
