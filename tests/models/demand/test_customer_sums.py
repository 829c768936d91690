"""Expected baskets follow the survival curve; sums depend on no order and on nobody who is not in them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.demand.customer_sums import SUM_STEPS, expected_baskets, summed_steps

HORIZON = 7


def curves(hazards: np.ndarray) -> np.ndarray:
    """Log survival before the first day and through each one, [C, 1 + H]."""
    return np.pad(np.cumsum(np.log1p(-hazards), axis=1), [(0, 0), (1, 0)])


def drawn(seed: int, customers: int = 12, products: int = 9) -> tuple[np.ndarray, np.ndarray]:
    """Expected baskets [C, H] and units in one [C, V]."""
    random = np.random.default_rng(seed)
    baskets = expected_baskets(*(curves(random.random((customers, HORIZON)) * 0.4) for _ in range(2)))
    return baskets, random.gamma(0.2, size=(customers, products)).astype(np.float32)


def test_who_survives_every_day_buys_nothing() -> None:
    never = np.zeros((1, 1 + HORIZON))
    baskets = expected_baskets(never, curves(np.full((1, HORIZON), 0.3)))
    assert not baskets.any()
    assert not summed_steps(baskets, np.ones((1, 4))).any()


def test_one_hazard_every_day_is_as_many_baskets_every_day() -> None:
    waits, gaps = np.full((1, HORIZON), 0.3), np.full((1, HORIZON), 0.3)
    gaps[:, 0] = 0.0  # no second basket on one day
    np.testing.assert_allclose(expected_baskets(curves(waits), curves(gaps)), 0.3)


def test_who_comes_once_comes_with_the_probability_of_not_surviving() -> None:
    waits = curves(np.random.default_rng(0).random((5, HORIZON)))
    never_again = np.zeros((5, 1 + HORIZON))
    np.testing.assert_allclose(expected_baskets(waits, never_again).sum(axis=1), 1.0 - np.exp(waits[:, -1]))


def test_survival_before_the_horizon_is_certain_by_now() -> None:
    waits, gaps = curves(np.full((1, HORIZON), 0.2)), curves(np.full((1, HORIZON), 0.1))
    np.testing.assert_allclose(expected_baskets(waits - 40.0, gaps), expected_baskets(waits, gaps))


@given(seed=st.integers(0, 1000), shorter=st.integers(1, HORIZON))
@settings(max_examples=20)
def test_a_longer_horizon_changes_no_earlier_day(seed: int, shorter: int) -> None:
    random = np.random.default_rng(seed)
    waits, gaps = (curves(random.random((4, HORIZON))) for _ in range(2))
    longer, short = expected_baskets(waits, gaps), expected_baskets(waits[:, : 1 + shorter], gaps[:, : 1 + shorter])
    np.testing.assert_array_equal(longer[:, :shorter], short)


@given(seed=st.integers(0, 1000), parts=st.integers(1, 6))
@settings(max_examples=30)
def test_order_and_batches_change_no_bit_of_a_sum(seed: int, parts: int) -> None:
    baskets, units = drawn(seed)
    order = np.random.default_rng(seed).permutation(len(baskets))
    together = summed_steps(baskets, units)
    apart = sum(summed_steps(baskets[rows], units[rows]) for rows in np.array_split(order, parts))
    np.testing.assert_array_equal(apart, together)


@given(seed=st.integers(0, 1000), erased=st.integers(0, 11))
@settings(max_examples=20)
def test_a_sum_without_a_customer_holds_nothing_of_it(seed: int, erased: int) -> None:
    baskets, units = drawn(seed)
    kept = np.arange(len(baskets)) != erased
    own = summed_steps(baskets[[erased]], units[[erased]])
    np.testing.assert_array_equal(summed_steps(baskets, units) - own, summed_steps(baskets[kept], units[kept]))


def test_sums_over_products_and_days_are_the_customers_expected_units() -> None:
    baskets, units = drawn(3)
    expected = (baskets.sum(axis=1) * units.sum(axis=1)).sum()
    assert summed_steps(baskets, units).sum() / SUM_STEPS == pytest.approx(expected, rel=1e-3)
