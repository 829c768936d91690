"""Probabilities of the days ahead: conditioned on what has not come, they add up and end with the window."""

import numpy as np
import pytest

from models.returns.timing import ReturnTiming


def timing(horizon: int = 10) -> ReturnTiming:
    return ReturnTiming.of_returns(np.array([1, 1, 2, 5, 9]), np.array([1.0, 0.5, 1.0, 1.0, 0.5]), horizon)


def test_shares_end_at_one_and_units_are_their_mean() -> None:
    found = timing()
    assert found.horizon == 10
    assert found.by_day[-1] == pytest.approx(1.0)
    assert (np.diff(found.by_day) > 0).all()
    assert found.unit_share == pytest.approx(0.8)
    assert ReturnTiming(**found.as_stored()) == found  # type: ignore[arg-type]


def test_a_line_sold_on_the_eve_keeps_all_but_the_first_day() -> None:
    found = timing()
    ahead = found.ahead(np.array([0.4]), np.array([1]))
    expected = 0.4 * (1 - found.by_day[0]) / (1 - 0.4 * found.by_day[0])
    assert ahead.sum() == pytest.approx(expected)


def test_the_longer_nothing_came_the_less_is_left() -> None:
    ages = np.arange(1, 12)
    left = timing().ahead(np.full(len(ages), 0.3), ages).sum(axis=1)
    assert (np.diff(left) < 0).all()
    assert left[-1] == 0.0, "the window is over"


def test_a_day_beyond_the_window_has_no_probability() -> None:
    ahead = timing().ahead(np.array([1.0]), np.array([8]))
    assert ahead[0, :3].sum() == pytest.approx(1.0)
    assert (ahead[0, 3:] == 0).all()
