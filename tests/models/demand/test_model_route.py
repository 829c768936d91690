import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.demand.model_route import (
    CLASSES,
    WINDOWS,
    ModelWeek,
    blend_with_model,
    earned_by_class,
    model_demand,
    share_of_others,
    with_store_days,
)


@given(others=st.floats(0.0, 1e4), more=st.floats(0.0, 1e4), store=st.floats(0.0, 1.0))
def test_a_share_of_others_is_a_share(others: float, more: float, store: float) -> None:
    share = share_of_others(np.array([others]), np.array([others + more]), store)[0]
    assert -1e-12 <= share <= 1.0 + 1e-12


def test_much_sold_decides_its_own_share_and_nothing_sold_has_the_store_s() -> None:
    others, units = np.array([9000.0, 0.0]), np.array([10000.0, 0.0])
    assert share_of_others(others, units, 0.2) == pytest.approx([0.9, 0.2], abs=2e-3)


STORE, CUSTOMERS = np.full((3, 2), 4.0), np.array([[1.0, 2.0], [0.0, 0.0], [9.0, 9.0]])
SHARE = np.array([0.25, 1.0, np.nan])


def test_others_buy_their_share_of_the_store_s_forecast() -> None:
    expected = [[2.0, 3.0], [4.0, 4.0], [4.0, 4.0]]  # the last one the model does not know
    assert model_demand(STORE, CUSTOMERS, SHARE).tolist() == expected


def test_customers_buy_what_the_store_expects_them_to_buy_in_all_in_their_own_mix() -> None:
    units, share = np.random.default_rng(0).gamma(1.0, size=(4, 3)), np.array([0.5, 0.0, 0.0, np.nan])
    store = np.array([[2.0, 1.0, 0.0]]) * np.ones((4, 1))
    found = with_store_days(store, units, share)
    np.testing.assert_allclose(found.sum(axis=0), [5.0, 2.5, 0.0])
    np.testing.assert_allclose(found[:3, 0] / found[:3, 0].sum(), units[:3, 0] / units[:3, 0].sum())
    own_level = with_store_days(store, units, share, own_level=True)
    assert own_level.sum() == pytest.approx(units[:3].sum())
    np.testing.assert_allclose(own_level / own_level.sum(), found / found.sum())


def test_each_store_has_its_own_days_and_none_without_customers_or_sales_is_touched() -> None:
    stores, units = np.array([0, 0, 1, 2]), np.random.default_rng(0).gamma(1.0, size=(4, 3))
    units[2], store, share = 0.0, np.ones((4, 3)), np.zeros(4)
    store[3] = 0.0
    found = with_store_days(store, units, share, stores)
    np.testing.assert_allclose(found[:2], with_store_days(store[:2], units[:2], share[:2]))
    np.testing.assert_array_equal(found[2:], units[2:])


def test_a_weight_of_nothing_is_the_store_s_forecast() -> None:
    mean, part = blend_with_model(STORE, CUSTOMERS, SHARE, np.zeros(3))
    np.testing.assert_array_equal(mean, STORE)
    assert not part.any()


def test_the_whole_weight_is_the_model_and_names_its_customers_part() -> None:
    mean, part = blend_with_model(STORE, CUSTOMERS, SHARE, np.ones(3))
    np.testing.assert_array_equal(mean, model_demand(STORE, CUSTOMERS, SHARE))
    assert part.tolist() == [[1.0, 2.0], [0.0, 0.0], [0.0, 0.0]]


def weeks(products: int = 60) -> list[ModelWeek]:
    """The model is right where products sell on most days, and useless for the others."""
    random, classes = np.random.default_rng(0), np.arange(products) % CLASSES
    found = []
    for _ in range(WINDOWS):
        sold = random.poisson(9.0, (products, 7)).astype(float)
        store = sold + random.normal(0.0, 2.0, (products, 1))
        found.append(ModelWeek(store, np.where(classes[:, None] == 0, sold, 0.0), sold, classes))
    return found


def test_each_class_has_the_weight_that_the_model_earned_in_it() -> None:
    assert earned_by_class(weeks(120)).tolist() == [1.0, 0.0, 0.0]


@pytest.mark.parametrize("few", [weeks(120)[1:], weeks(60), []], ids=["three weeks", "20 products a class", "none"])
def test_too_little_past_earns_nothing(few: list[ModelWeek]) -> None:
    assert earned_by_class(few).tolist() == [0.0] * CLASSES
