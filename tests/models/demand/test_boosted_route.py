import numpy as np
import pytest

from models.demand.boosted_route import MIN_ROWS_TO_LEARN, BoostedConfig, expected_units, forecast_store
from tests.models.sales import history

DAYS = 70
WEEKDAYS = np.arange(DAYS) % 7
WEEK = np.arange(7)
# Trees from few rows, so that a small store has some.
CONFIG = BoostedConfig(n_trees=20, min_rows_in_leaf=50, step_days=1)


def busy_store(products: int = 120, days: int = DAYS) -> np.ndarray:
    """Poisson sales of 1 to 6 a day."""
    rng = np.random.default_rng(0)
    return rng.poisson(1.0 + np.arange(products)[:, None] % 6, (products, days)).astype(float)


def test_even_sales_are_forecast_as_they_are() -> None:
    units = np.full((20, DAYS), 6.0)
    assert expected_units(history(units), WEEK, CONFIG) == pytest.approx(np.full((20, 7), 6.0), rel=0.02)


def test_there_are_trees_where_there_is_enough_to_learn_from_and_they_keep_the_level() -> None:
    units = busy_store()
    assert len(units) * CONFIG.learn_days > MIN_ROWS_TO_LEARN
    learned = expected_units(history(units), WEEK, CONFIG)
    few = expected_units(history(units), WEEK, BoostedConfig(learn_days=1))
    assert (learned != few).any()
    assert learned.mean(axis=1) == pytest.approx(1.0 + np.arange(len(units)) % 6, rel=0.5)


def test_trees_learn_that_a_burst_does_not_last() -> None:
    # Every product sells nine times its usual on one day in ten; the smoother takes a burst for a new level.
    units = np.full((150, DAYS), 1.0)
    for product in range(150):
        units[product, product % 10 :: 10] = 9.0
    fresh = np.flatnonzero((DAYS - 1 - np.arange(150)) % 10 == 0)
    sold_in_a_week = 7 * 1.8
    learned = expected_units(history(units), WEEK, BoostedConfig(min_rows_in_leaf=50, step_days=1))[fresh].sum(axis=1)
    smoothed = expected_units(history(units), WEEK, BoostedConfig(learn_days=1))[fresh].sum(axis=1)
    assert np.abs(learned - 7.0).mean() < np.abs(smoothed - 7.0).mean()
    assert smoothed.mean() > sold_in_a_week


def test_days_with_an_empty_shelf_are_not_read_as_no_demand() -> None:
    units = busy_store()
    units[-1] = 6.0
    units[-1, -5:] = 0.0
    known, unknown = history(units, empty_now=True), history(units)
    assert expected_units(known, WEEK, CONFIG)[-1].sum() > 1.2 * expected_units(unknown, WEEK, CONFIG)[-1].sum()


def test_a_weekday_without_trade_is_forecast_as_zero() -> None:
    units = busy_store()
    units[:, WEEKDAYS == 6] = 0.0
    found = forecast_store(history(units), WEEK, CONFIG)
    assert (found.mean[:, 6] == 0).all()
    assert np.isfinite(found.about(found.mean).cumulative_variance).all()


def test_days_before_a_product_was_on_sale_do_not_count() -> None:
    units = np.full((20, DAYS), 6.0)
    units[-1, :60] = 0.0
    new = expected_units(history(units, first_day=60), WEEK, CONFIG)
    assert new[-1] == pytest.approx(new[0], rel=0.1)


def test_the_same_history_gives_the_same_forecast() -> None:
    units = busy_store()
    first, second = (forecast_store(history(units), WEEK, CONFIG) for _ in range(2))
    assert (first.mean == second.mean).all()
    assert (first.daily, first.weekly) == (second.daily, second.weekly)


@pytest.mark.parametrize("days", [1, 5, 13, 20, 30])
def test_a_short_history_is_enough(days: int) -> None:
    found = forecast_store(history(np.full((3, days), 4.0)), WEEK, CONFIG)
    assert (found.mean > 0).all()
    assert (found.about(found.mean).variance >= found.mean).all()


def test_a_store_without_sales_expects_next_to_none() -> None:
    assert forecast_store(history(np.zeros((3, DAYS))), WEEK, CONFIG).mean.sum() == 0
