"""The store's forecast: scale-free, robust, bounded by its own past, and chosen by its own last weeks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.demand.boosted_route import BoostedConfig
from models.demand.choice import (
    METHODS,
    StoreForecast,
    forecast_store,
    largest_week,
    method_weights,
    product_classes,
)
from models.demand.sales_history import SalesHistory, sales_history

DAYS, WEEK = 112, np.arange(7)
CONFIG = BoostedConfig(n_trees=20)


def store(products: int = 30, days: int = DAYS, seed: int = 0, mean: float = 10.0) -> np.ndarray:
    """Poisson sales."""
    return np.random.default_rng(seed).poisson(mean, (products, days)).astype(float)


def known(units: np.ndarray, empty: list[int] | None = None) -> SalesHistory:
    flags = np.zeros(len(units), dtype=bool)
    flags[empty or []] = True
    return sales_history(units, np.arange(units.shape[1]) % 7, np.zeros(len(units), np.int64), flags)


def forecast(units: np.ndarray, empty: list[int] | None = None) -> StoreForecast:
    return forecast_store(known(units, empty), WEEK, CONFIG)


def week(units: np.ndarray, empty: list[int] | None = None) -> np.ndarray:
    return forecast(units, empty).mean.sum(axis=1)


@settings(max_examples=8, deadline=None)
@given(size=st.floats(1.5, 5000.0), day=st.integers(1, 60), product=st.integers(0, 29))
def test_one_absurd_day_of_a_product_moves_the_others_by_less_than_two_percent(
    size: float, day: int, product: int
) -> None:
    units = store()
    odd = units.copy()
    odd[product, DAYS - day] *= size
    others = np.arange(len(units)) != product
    assert week(odd)[others] == pytest.approx(week(units)[others], rel=0.02)


@settings(max_examples=6, deadline=None)
@given(shut=st.integers(3, 40))
def test_a_store_that_was_shut_expects_what_it_did_before(shut: int) -> None:
    units = store()
    closed = np.pad(units, [(0, 0), (0, shut)])
    found = forecast(closed[:, shut:])
    assert found.mean.sum() == pytest.approx(70.0 * len(units), rel=0.05)
    assert np.median(found.mean.sum(axis=1)) == pytest.approx(70.0, rel=0.05)


@pytest.mark.parametrize(("stopped", "mean"), [(30, 10.0), (60, 4.0), (90, 10.0), (100, 25.0)])
def test_what_was_withdrawn_is_expected_no_more_whatever_the_shelf_says(stopped: int, mean: float) -> None:
    units = store()
    units[-5:] = store(5, mean=mean)
    units[-5:, DAYS - stopped :] = 0.0
    found = week(units, list(range(25, 30)))
    assert (found[-5:] < 0.1).all()
    assert found[:25].mean() == pytest.approx(70.0, rel=0.05)


@settings(max_examples=6, deadline=None)
@given(silent=st.integers(15, 40), mean=st.floats(2.0, 30.0))
def test_what_did_not_sell_for_a_fortnight_is_not_expected_as_before_though_its_shelf_is_empty(
    silent: int, mean: float
) -> None:
    units = store()
    units[-1] = store(1, mean=mean, seed=1)[0]
    units[-1, DAYS - silent :] = 0.0
    assert week(units, [29])[-1] < 0.6 * 7 * mean


def test_what_has_been_out_for_three_days_is_expected_as_before() -> None:
    units = store()
    units[-1, DAYS - 3 :] = 0.0
    assert week(units, [29])[-1] == pytest.approx(70.0, rel=0.15)


@pytest.mark.parametrize("every", [14, 28])
def test_what_sells_seldom_is_expected_seldom_with_an_empty_shelf(every: int) -> None:
    units = store()
    for row in range(20, 30):
        units[row] = 0.0
        units[row, row % every :: every] = 1.0
    found = week(units, list(range(20, 30)))
    assert found[20:].mean() == pytest.approx(7.0 / every, rel=0.35)
    assert (found[20:] < 3 * 7.0 / every).all()


def test_no_week_above_the_products_own_best() -> None:
    units = store(mean=3.0)
    units[0, -3:] = 60.0
    found = forecast(units)
    assert (found.mean.sum(axis=1) <= found.largest_week + 1e-9).all()


LEARNED, MEAN_112 = METHODS.index("learned"), METHODS.index("mean-112")


def alike(purchases: float = 5000.0) -> np.ndarray:
    """Errors of a week in which every method was as good."""
    errors = np.full((len(METHODS), 3, 3), 100.0)
    errors[:, :, 0] = purchases
    return errors


def test_without_proof_the_trusted_method_of_the_class_weighs_most() -> None:
    for weights in (method_weights([]), method_weights([alike()]), method_weights([alike(purchases=0.0)])):
        assert weights.argmax(axis=1).tolist() == [LEARNED, LEARNED, MEAN_112]
        assert weights.sum(axis=1) == pytest.approx(np.ones(3))


def test_what_the_weeks_prove_weighs_by_class() -> None:
    errors = alike()
    errors[4, 1, 1:] = 10.0
    weights = method_weights([errors, errors])
    assert weights.argmax(axis=1).tolist() == [LEARNED, 4, MEAN_112]
    few = alike(purchases=1.0)
    few[4, 1, 1:] = 10.0
    assert method_weights([few]).argmax(axis=1)[1] == LEARNED


def test_weeks_long_past_count_less() -> None:
    recent, old = alike(), alike()
    recent[2, :, 1:], old[5, :, 1:] = 50.0, 50.0
    weights = method_weights([recent, old])
    assert (weights[:, 2] > weights[:, 5]).all()


@given(worse=st.floats(1.0, 1.05))
def test_a_slightly_other_error_gives_slightly_other_weights(worse: float) -> None:
    errors = alike()
    errors[LEARNED, :, 1:] *= worse
    assert method_weights([errors]) == pytest.approx(method_weights([alike()]), abs=0.1)


def test_each_past_week_is_forecast_from_what_was_known_before_it() -> None:
    units = store()
    changed = units.copy()
    changed[:, DAYS - 14 :] = 0.0
    changed[0, DAYS - 14 :] = 500.0
    before, after = forecast(units), forecast(changed)
    of = {one.start: one for one in before.weeks}
    # The third and fourth week back end before the change; the second begins with it and reads only days before it.
    for other in after.weeks[1:]:
        assert (other.mean == of[other.start].mean).all()
        assert (other.methods == of[other.start].methods).all()


def test_the_same_history_gives_the_same_forecast() -> None:
    units = store()
    found, again = forecast(units), forecast(units)
    assert (found.mean == again.mean).all()
    assert (found.methods == again.methods).all()


def test_classes_and_best_weeks_worked_by_hand() -> None:
    units = np.zeros((3, 28))
    units[0] = 2.0
    units[1, ::4] = 3.0
    units[2, 5] = 7.0
    assert product_classes(known(units)).tolist() == [0, 1, 2]
    assert largest_week(known(units)).tolist() == [14.0, 6.0, 7.0]


@pytest.mark.parametrize("days", [1, 6, 13, 20, 40])
def test_a_short_history_is_enough(days: int) -> None:
    found = forecast(store(days=days))
    assert np.isfinite(found.mean).all()
    assert (found.mean.sum(axis=1) > 0).all()
    assert found.daily.variance(found.mean).min() >= 0
