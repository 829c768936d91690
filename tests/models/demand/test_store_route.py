import numpy as np
import pytest

from models.demand.sales_history import weekly_rhythm
from models.demand.store_route import (
    MEMORIES,
    choose_memory,
    cumulative_variance,
    day_variance,
    expected_units,
    forecast_store,
)
from tests.models.sales import history

DAYS = 56
WEEKDAYS = np.arange(DAYS) % 7
WEEK = np.arange(7)


def test_even_sales_are_forecast_as_they_are() -> None:
    units = np.full((5, DAYS), 6.0)
    assert expected_units(history(units), WEEK) == pytest.approx(np.full((5, 7), 6.0), rel=0.01)


def test_a_weekday_without_trade_is_forecast_as_zero() -> None:
    units = np.full((5, DAYS), 6.0)
    units[:, WEEKDAYS == 6] = 0.0
    forecast = expected_units(history(units), WEEK)
    assert (forecast[:, 6] == 0).all()
    assert forecast[:, :6] == pytest.approx(np.full((5, 6), 6.0), rel=0.15)


def test_days_with_an_empty_shelf_are_not_read_as_no_demand() -> None:
    units = np.full((20, DAYS), 6.0)
    units[-1, -5:] = 0.0
    known, unknown = history(units, empty_now=True), history(units)
    assert expected_units(known, WEEK)[-1].sum() > 1.2 * expected_units(unknown, WEEK)[-1].sum()


def test_a_silence_that_the_product_s_own_rate_makes_impossible_is_an_empty_shelf() -> None:
    units = np.full((20, DAYS), 6.0)
    units[-1, 20:32] = 0.0
    assert not history(units).on_shelf[-1, 20:32].any()
    assert history(units).on_shelf[:-1].all()


def test_a_product_that_sells_seldom_may_be_silent() -> None:
    units = np.full((20, DAYS), 6.0)
    units[-1] = 0.0
    units[-1, ::10] = 1.0
    assert history(units).on_shelf[-1].all()


def test_days_before_a_product_was_on_sale_do_not_count() -> None:
    units = np.full((20, DAYS), 6.0)
    units[-1, :46] = 0.0
    new = expected_units(history(units, first_day=46), WEEK)
    assert new[-1] == pytest.approx(new[0], rel=0.1)


def test_order_of_products_changes_nothing() -> None:
    units = np.random.default_rng(0).poisson(3.0, (30, DAYS)).astype(float)
    shuffled = np.random.default_rng(1).permutation(30)
    straight, mixed = forecast_store(history(units), WEEK), forecast_store(history(units[shuffled]), WEEK)
    assert mixed.mean == pytest.approx(straight.mean[shuffled])
    assert mixed.level_error == straight.level_error


def test_even_trade_is_remembered_long_and_jumpy_trade_shortly() -> None:
    rng = np.random.default_rng(0)
    even = rng.poisson(2.0, (300, DAYS)).astype(float)
    level = np.exp(np.cumsum(rng.normal(0, 0.4, (300, DAYS)), axis=1))
    jumpy = rng.poisson(np.clip(level * 2, 0, 200)).astype(float)
    assert choose_memory(history(even)) == MEMORIES[-1]
    assert choose_memory(history(jumpy)) == MEMORIES[0]


def test_the_band_of_poisson_demand_is_nearly_poisson() -> None:
    units = np.random.default_rng(0).poisson(5.0, (200, DAYS)).astype(float)
    forecast = forecast_store(history(units), WEEK)
    assert forecast.level_error <= 0.05
    assert np.median(forecast.dispersion) == pytest.approx(1.0, abs=0.15)


def test_a_wrong_level_is_wrong_on_every_day() -> None:
    mean, dispersion = np.full((1, 7), 10.0), np.ones(1)
    independent, common = (cumulative_variance(mean, dispersion, error)[0, -1] for error in (0.0, 0.1))
    assert independent == pytest.approx(70.0)
    assert common == pytest.approx(70.0 + 0.1 * 70.0**2)
    assert day_variance(mean, dispersion, 0.1)[0, 0] == pytest.approx(20.0)


def test_a_store_without_sales_expects_none() -> None:
    assert (forecast_store(history(np.zeros((3, DAYS))), WEEK).mean == 0).all()
    assert weekly_rhythm(history(np.zeros((3, DAYS)))).tolist() == [1.0] * 7


@pytest.mark.parametrize("days", [1, 5, 13, 20])
def test_a_short_history_is_enough(days: int) -> None:
    forecast = forecast_store(history(np.full((3, days), 4.0)), WEEK)
    assert np.isfinite(forecast.mean).all()
    assert (forecast.mean >= 0).all()
