import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.demand.customer_route import blend, gap_spread, visit_expectation, visit_on_predicted_day


def visits(gap: float, elapsed: float, spread: float = 0.5, horizon: int = 7) -> np.ndarray:
    return visit_expectation(np.array([gap]), np.array([elapsed]), spread, horizon)[0]


@given(gap=st.floats(0.0, 400.0), elapsed=st.integers(1, 1000), spread=st.floats(0.0, 3.0))
def test_expected_baskets_are_finite_and_never_negative(gap: float, elapsed: int, spread: float) -> None:
    expected = visits(gap, float(elapsed), spread)
    assert np.isfinite(expected).all()
    assert (expected >= 0).all()


def test_a_basket_is_likeliest_near_its_predicted_day() -> None:
    assert visits(gap=10.0, elapsed=6.0, spread=0.3).argmax() == 4 - 1


def test_whoever_shops_every_other_day_comes_several_times() -> None:
    assert visits(gap=2.0, elapsed=1.0, horizon=14).sum() == pytest.approx(7.0, rel=0.25)


def test_a_customer_long_gone_is_hardly_expected() -> None:
    assert visits(gap=7.0, elapsed=300.0).sum() < 0.4 < visits(gap=7.0, elapsed=7.0).sum()


def test_a_longer_horizon_changes_no_earlier_day() -> None:
    assert visits(gap=3.0, elapsed=2.0, horizon=14)[:7] == pytest.approx(visits(gap=3.0, elapsed=2.0, horizon=7))


def test_the_paper_s_decoding_puts_the_basket_on_its_day() -> None:
    assert visit_on_predicted_day(np.array([0, 2, 9]), 3).tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 0]]


@given(weight=st.floats(0.0, 1.0), seed=st.integers(0, 100))
def test_blending_keeps_the_store_s_level(weight: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    store, customers = rng.gamma(1.0, size=(6, 7)), rng.gamma(1.0, size=(6, 7))
    customers[4:] = 0.0
    mean, part = blend(store, customers, weight)
    assert mean.sum() == pytest.approx(store.sum())
    assert (part <= mean + 1e-12).all()
    assert mean[4:] == pytest.approx(store[4:])


def test_without_predictions_the_store_s_route_stands_alone() -> None:
    store = np.ones((2, 7))
    mean, part = blend(store, np.zeros((2, 7)), 0.5)
    assert (mean == store).all()
    assert (part == 0).all()


def test_too_few_gaps_give_the_default_spread() -> None:
    assert gap_spread(1.0, 3) == gap_spread(0.0, 0)
    assert gap_spread(0.25 * 1000, 1000) == pytest.approx(0.5)
