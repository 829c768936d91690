"""The simple methods are those of statsforecast, for every product at once."""

import numpy as np
import pytest

from models.baselines.demand_smoothers import SMOOTHERS, smoother
from models.demand.sales_history import sales_history
from models.demand.simple_methods import SIMPLE_METHODS, imapa, mean_of_days, tsb
from tests.models.sales import history


@pytest.fixture(scope="module")
def units() -> np.ndarray:
    """Intermittent sales of products of very different rates."""
    rng = np.random.default_rng(0)
    found = rng.poisson(rng.gamma(0.5, 1.0, (120, 1)), (120, 100)).astype(float)
    return found[found.any(axis=1)]


def test_tsb_is_that_of_statsforecast(units: np.ndarray) -> None:
    assert tsb(units) == pytest.approx(smoother("tsb")(units, 1)[:, 0], abs=1e-9)


def test_imapa_is_nearly_that_of_statsforecast(units: np.ndarray) -> None:
    theirs = smoother("imapa")(units, 1)[:, 0]
    assert np.abs(imapa(units) - theirs).mean() < 0.01 * theirs.mean()


def test_a_mean_over_more_days_than_there_are_is_the_mean_of_all() -> None:
    known = np.arange(12.0).reshape(2, 6)
    assert smoother("window-average-112")(known, 2) == pytest.approx(np.repeat(known.mean(axis=1), 2).reshape(2, 2))


@pytest.mark.parametrize("name", SMOOTHERS)
def test_every_smoother_has_a_number_for_short_and_rare_series(name: str) -> None:
    once = np.eye(10)
    assert np.isfinite(smoother(name)(once, 7)).all()


def test_days_of_an_empty_shelf_do_not_count() -> None:
    units = np.full((3, 60), 4.0)
    units[-1, -10:] = 0.0
    known = history(units, empty_now=True)
    assert mean_of_days(known, 28) == pytest.approx([4.0, 4.0, 4.0])
    for method in SIMPLE_METHODS.values():
        assert method(known) == pytest.approx([4.0, 4.0, 4.0], rel=0.01)


@pytest.mark.parametrize("every", [10, 28, 45])
def test_what_seldom_sells_is_expected_as_often_though_its_shelf_is_empty(every: int) -> None:
    units = (np.arange(112)[None, :] % every == np.arange(every)[:, None]).astype(float)
    known = sales_history(units, np.arange(112) % 7, np.full(every, -200), np.ones(every, bool))
    for name, least, most in (("mean-112", 0.8, 1.2), ("imapa", 0.7, 1.3), ("tsb", 0.4, 2.0)):
        assert least < np.mean(SIMPLE_METHODS[name](known)) * every < most, name


def test_one_sale_on_the_first_day_is_no_daily_sale() -> None:
    units = np.zeros((1, 60))
    units[0, -6] = 1.0
    assert history(units, empty_now=True, first_day=54).on_shelf.sum() == 6
    units[0, -12:-5] = 1.0
    assert history(units, empty_now=True, first_day=48).on_shelf.sum() == 7


def test_days_before_the_first_sale_count() -> None:
    units = np.zeros((2, 56))
    units[:, -7:] = 8.0
    assert mean_of_days(history(units, first_day=49), 28) == pytest.approx([2.0, 2.0])


def test_what_never_sold_is_expected_never() -> None:
    for method in SIMPLE_METHODS.values():
        assert method(history(np.zeros((2, 30)))).tolist() == [0.0, 0.0]
