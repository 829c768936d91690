"""The derived plan keeps a shelf that sells at its mean in stock, and follows the order-up-to rule."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.demand.supply_plan import DELIVERY_WEEKDAYS, derive_plan

MONDAY = date(2026, 3, 2)
HISTORIES = st.lists(
    st.lists(st.integers(0, 50), min_size=28, max_size=28), min_size=1, max_size=5
).map(lambda rows: np.array(rows, float))  # fmt: skip
DAYS = st.integers(0, 6).map(lambda days: MONDAY + timedelta(days=days))


@given(HISTORIES, DAYS, st.integers(4, 14), st.integers(1, 21))
def test_units_are_whole_and_deliveries_come_on_delivery_days(
    sold: np.ndarray, day: date, cover_days: int, horizon_days: int
) -> None:
    plan = derive_plan(sold, day, cover_days, horizon_days)
    assert plan.on_hand.shape == (len(sold),)
    assert plan.resupplies.shape == (len(sold), horizon_days)
    for units in (plan.on_hand, plan.resupplies):
        assert (units >= 0).all()
        assert (units == np.round(units)).all()
    weekdays = [(day + timedelta(days=ahead)).weekday() for ahead in range(horizon_days)]
    closed = [weekday not in DELIVERY_WEEKDAYS for weekday in weekdays]
    assert not plan.resupplies[:, closed].any()


@given(st.integers(0, 50), DAYS, st.integers(4, 14))
def test_a_product_that_sells_at_its_mean_never_runs_out(units: int, day: date, cover_days: int) -> None:
    plan = derive_plan(np.full((1, 28), float(units)), day, cover_days, 21)
    left = plan.on_hand + np.cumsum(plan.resupplies[0]) - units * np.arange(1, 22)
    assert (left >= 0).all()
    assert (left <= cover_days * units).all()


@given(HISTORIES, DAYS, st.integers(0, 27))
def test_selling_more_since_the_last_delivery_leaves_less_beyond_the_level(
    sold: np.ndarray, day: date, moved: int
) -> None:
    plan = derive_plan(sold, day, 7, 7)
    # The same sales, taken to yesterday: the mean and so the level stay.
    late = sold.copy()
    late[:, -1] += late[:, moved] * (moved != 27)
    late[:, moved] *= moved == 27
    assert (derive_plan(late, day, 7, 7).on_hand <= plan.on_hand).all()


def test_the_level_is_days_of_cover_less_the_sales_since_the_last_delivery() -> None:
    sold = np.zeros((1, 28))
    sold[0, -4:] = 7.0  # Thursday to Sunday: a mean of one a day, all of it since the last delivery
    assert derive_plan(sold, MONDAY, 30, 7).on_hand.tolist() == [2.0]
    assert derive_plan(sold, MONDAY, 30, 7).resupplies[0].tolist() == [28.0, 0, 0, 3.0, 0, 0, 0]


@pytest.mark.parametrize("sold", [np.zeros((2, 0)), np.zeros(3), np.full((1, 3), -1.0), np.full((1, 3), np.nan)])
def test_impossible_histories_are_refused(sold: np.ndarray) -> None:
    with pytest.raises(ValueError, match="daily units must be"):
        derive_plan(sold, MONDAY, 7, 7)
