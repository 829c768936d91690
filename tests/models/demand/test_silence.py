import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.demand.purchases import MIN_LINES, purchase_size, quantity_limit
from models.demand.sales_history import closed_days
from models.demand.silence import still_on_sale


def on_sale(sales: float, active: float, silent: float) -> float:
    return float(still_on_sale(np.array([sales]), np.array([active]), np.array([silent]))[0])


@given(sales=st.integers(1, 100), more=st.integers(0, 100), silent=st.integers(0, 100))
def test_it_is_a_probability_that_falls_with_silence(sales: int, more: int, silent: int) -> None:
    first, later = (on_sale(sales, sales + more, days) for days in (silent, silent + 1))
    assert 0.0 <= later <= first <= 1.0
    assert on_sale(sales, sales + more, 0) == pytest.approx(1.0)


def test_a_daily_seller_silent_for_weeks_is_gone_and_a_monthly_one_is_not() -> None:
    assert on_sale(60, 60, 30) < 0.01
    assert on_sale(4, 84, 30) > 0.7


@given(sales=st.integers(1, 100), more=st.integers(0, 100), silent=st.integers(0, 30), empty=st.integers(0, 60))
def test_an_empty_shelf_says_less_than_silence_and_more_the_longer_it_lasts(
    sales: int, more: int, silent: int, empty: int
) -> None:
    active = np.array([float(sales + more)])
    found, later, none = (
        float(still_on_sale(np.array([float(sales)]), active, np.array([float(silent)]), np.array([float(days)]))[0])
        for days in (empty, empty + 1, 0)
    )
    assert 0.0 <= later <= found <= none == on_sale(sales, sales + more, silent)


def test_a_shelf_empty_for_some_days_will_be_filled_and_one_empty_for_weeks_will_not() -> None:
    found = [
        float(still_on_sale(np.array([90.0]), np.array([90.0]), np.zeros(1), np.array([days]))[0])
        for days in (3.0, 14.0, 40.0)
    ]
    assert found[0] > 0.95
    assert 0.3 < found[1] < 0.8
    assert found[2] < 0.05


def weeks(counts: list[list[float]]) -> tuple[np.ndarray, np.ndarray]:
    """Purchases of the store by week and weekday, and their weekdays."""
    days = np.array(counts, dtype=float).ravel()
    return days, np.arange(len(days)) % 7


def test_days_shut_every_week_are_rhythm_and_days_shut_for_once_are_closed() -> None:
    usual = [30.0] * 6 + [0.0]
    holiday = [30.0, 30.0, 0.0, 30.0, 30.0, 30.0, 0.0]
    shut = [0.0] * 7
    days, weekdays = weeks([usual, usual, holiday, usual, shut, usual, shut, shut])
    found = closed_days(days, weekdays).reshape(8, 7)
    assert found[2].tolist() == [False, False, True, False, False, False, False]
    assert found[4].tolist() == found[7].tolist() == [True] * 6 + [False]
    assert found[[0, 1, 3, 5]].sum() == 0


def test_a_quiet_day_of_a_small_store_is_no_closed_day() -> None:
    days = np.random.default_rng(0).poisson(1.5, 112).astype(float)
    assert not closed_days(days, np.arange(112) % 7).any()


def test_a_store_without_any_sale_was_not_shut_for_once() -> None:
    assert not closed_days(np.zeros(20), np.arange(20) % 7).any()


@given(median=st.floats(0.1, 5000.0), times=st.floats(401.0, 1e5), lines=st.integers(MIN_LINES, 50))
def test_a_line_far_from_the_product_s_own_is_odd_in_any_unit(median: float, times: float, lines: int) -> None:
    # The odd line is the 95 % quantile itself where there are few.
    arrays = (np.array([median]), np.array([median * times]), np.array([lines]), np.array([1.0]))
    limit = quantity_limit(*arrays)
    assert limit[0] < median * times
    assert limit[0] >= 20 * median
    assert purchase_size(arrays[0], arrays[2], arrays[3], limit)[0] == pytest.approx(median)


def test_a_first_line_is_held_against_comparable_products() -> None:
    median, lines, usual = np.array([90_000.0, 2.0]), np.array([1, 1]), np.array([1.0, 1.0])
    limit = quantity_limit(median, median, lines, usual)
    assert (median > limit).tolist() == [True, False]
    assert purchase_size(median, lines, usual, limit).tolist() == [1.0, 2.0]
