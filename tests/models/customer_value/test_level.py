"""The level of a store's days to come."""

import numpy as np
import pytest

from models.customer_value.level import daily_totals, known_shares, store_forecast


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


def test_known_customers_make_more_of_a_store_the_longer_it_is_known() -> None:
    shares = np.array([0.5, 0.8])
    found = known_shares(shares, 100, 200)
    assert (found > shares).all()
    assert (found < 1.0).all()
    assert (known_shares(shares, 100, 400) > found).all()
    np.testing.assert_allclose(known_shares(np.array([0.0, 1.0]), 100, 10_000), [1.0 - 100**-0.75, 1.0])


@pytest.mark.parametrize(("before", "now"), [(100, 100), (100, 60), (0, 300)])
def test_a_history_that_did_not_grow_changes_no_share(before: int, now: int) -> None:
    np.testing.assert_array_equal(known_shares(np.array([0.5, 0.8]), before, now), [0.5, 0.8])
