"""The level of a store's days to come."""

import numpy as np
import pytest

from models.customer_value.level import daily_totals, store_forecast


def test_a_store_without_seasons_goes_on_as_it_was() -> None:
    assert store_forecast(np.full(200, 7.0), 30) == pytest.approx(np.full(30, 7.0))
    assert store_forecast(np.full(800, 7.0), 400) == pytest.approx(np.full(400, 7.0))
    assert store_forecast(np.full(3, 7.0), 2) == pytest.approx(np.full(2, 7.0))


def test_after_more_than_a_year_a_season_comes_again_at_todays_level() -> None:
    days = np.arange(365 + 150)
    season = np.where((days % 365 >= 150) & (days % 365 < 240), 3.0, 1.0)
    grown = season * np.where(days >= 365, 2.0, 1.0)
    found = store_forecast(grown, 60)
    assert found[20:].mean() == pytest.approx(6.0, rel=0.1), "three times the season, at twice the level"


def test_with_less_than_a_year_the_days_lead_to_those_at_the_beginning() -> None:
    year = np.r_[np.full(30, 20.0), np.full(250, 10.0)]
    found = store_forecast(year, 85)
    assert found[0] == pytest.approx(10.0, abs=0.5)
    assert found[-1] == pytest.approx(20.0, abs=0.5)
    assert (np.diff(found) >= 0).all()


def test_days_without_a_sale_count() -> None:
    found = daily_totals(np.array([5, 5, 8]), np.array([1.0, 2.0, 4.0]), 5, 9)
    assert found.tolist() == [3.0, 0.0, 0.0, 4.0]
