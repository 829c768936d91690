"""The probability of being short on some day, against drawn paths of demand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.demand.counts import exceed_probability
from models.stockouts.first_shortage import short_by


def stated(mean: np.ndarray, own: float, level: float, supply: np.ndarray) -> np.ndarray:
    """Of products whose days vary `own` times their mean, and whose level is wrong by a variance of `level`."""
    variance = own * mean + level * mean**2
    total = np.cumsum(mean, axis=1)
    cumulative = own * total + level * total**2
    return short_by(exceed_probability(total, cumulative, supply), mean, variance, cumulative)


def drawn(mean: np.ndarray, own: float, level: float, supply: np.ndarray, paths: int = 20_000) -> np.ndarray:
    """Share of drawn paths that were short by each day: gamma levels, and negative binomial days about them."""
    rng = np.random.default_rng(7)
    levels = rng.gamma(1 / level, level, (paths, 1, 1)) if level else np.ones((paths, 1, 1))
    expected = np.broadcast_to(levels * mean, (paths, *mean.shape))
    days = rng.negative_binomial(np.maximum(expected / (own - 1), 1e-9), 1 / own) if own > 1 else rng.poisson(expected)
    short = np.cumsum(days, axis=2) > supply
    return np.logical_or.accumulate(short, axis=2).mean(axis=0)


@pytest.mark.parametrize(("own", "level"), [(1.0, 0.0), (2.0, 0.0), (1.5, 0.1), (3.0, 0.4)])
def test_it_is_the_share_of_paths_that_were_short(own: float, level: float) -> None:
    # A shelf that each morning's delivery fills again, one that is filled once, one that only empties, a shut day.
    mean = np.array([[8.0] * 7, [8.0] * 7, [8.0] * 7, [0.0, 12.0, 9.0, 9.0, 9.0, 9.0, 12.0]])
    supply = np.array(
        [
            10 + 8 * np.arange(1.0, 8.0),
            [20, 20, 60, 60, 60, 60, 60],
            [55.0] * 7,
            [14, 14, 26, 36, 45, 54, 70],
        ]
    )
    found = stated(mean, own, level, supply)
    assert found == pytest.approx(drawn(mean, own, level, supply), abs=0.03)


def test_one_day_is_the_day_itself() -> None:
    mean, supply = np.array([[4.0]]), np.array([[5.0]])
    assert stated(mean, 1.5, 0.1, supply)[0, 0] == pytest.approx(float(exceed_probability(4.0, 7.6, 5.0)), abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(
    mean=st.lists(st.floats(0, 30), min_size=5, max_size=5),
    own=st.floats(1.0, 4.0),
    level=st.floats(0.0, 1.0),
    arriving=st.lists(st.floats(0, 40), min_size=5, max_size=5),
)
def test_it_rises_and_lies_between_the_worst_day_and_the_sum_of_all(
    mean: list[float], own: float, level: float, arriving: list[float]
) -> None:
    means, supply = np.array([mean]), np.cumsum(np.array([arriving]), axis=1)
    found = stated(means, own, level, supply)[0]
    total = np.cumsum(means, axis=1)
    days = exceed_probability(total, own * total + level * total**2, supply)[0]
    assert (np.diff(found) >= 0).all()
    assert (found >= np.maximum.accumulate(days)).all()
    # The points are few: a hundredth is theirs.
    assert (found <= np.minimum(np.cumsum(days), 1.0) + 0.01).all()


def test_more_supply_never_makes_it_worse_and_products_do_not_disturb_each_other() -> None:
    mean = np.tile([3.0, 5.0, 2.0, 4.0], (20, 1))
    supply = np.arange(20.0)[:, None] + np.array([0.0, 2.0, 2.0, 6.0])
    found = stated(mean, 2.0, 0.1, supply)
    assert (np.diff(found, axis=0) <= 1e-12).all()
    assert (found[7:8] == stated(mean[7:8], 2.0, 0.1, supply[7:8])).all()


@settings(max_examples=200, deadline=None)
@given(
    mean=st.lists(st.floats(0, 1e4), min_size=7, max_size=7),
    variance=st.lists(st.floats(0, 1e6), min_size=7, max_size=7),
    week=st.floats(0, 1e12),
    chance=st.lists(st.floats(0, 1), min_size=7, max_size=7),
)
def test_whatever_spread_a_method_states_of_days_and_weeks_there_is_a_probability(
    mean: list[float], variance: list[float], week: float, chance: list[float]
) -> None:
    of_days = np.array([chance])
    cumulative = np.linspace(0.0, week, 7)[None]
    found = short_by(of_days, np.array([mean]), np.array([variance]), cumulative)[0]
    assert ((found >= np.maximum.accumulate(of_days[0])) & (found <= 1.0)).all()
    assert (np.diff(found) >= 0).all()
