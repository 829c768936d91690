"""The model as the task keeps it: chosen on a window gone by, blind to what comes after, the same again."""

import json
from dataclasses import replace

import numpy as np
import pytest

from models.customer_value.kinds import COMBINATIONS
from models.customer_value.metrics import value_scores
from models.customer_value.purchase_days import PurchaseDays
from models.customer_value.value_model import StoreDays, ValueModel
from tests.models.customer_value.customers import START, simulated

HORIZON, END = 40, START + 200


@pytest.fixture(scope="module")
def purchases() -> PurchaseDays:
    return simulated(1500)


@pytest.fixture(scope="module")
def model(purchases: PurchaseDays) -> ValueModel:
    return ValueModel.fitted(purchases, END, HORIZON)


def test_the_best_of_the_validated_window_is_taken(model: ValueModel) -> None:
    assert set(model.validated) == set(COMBINATIONS)
    best = max(model.validated.values(), key=lambda scores: scores["spend_gini"])
    assert model.validated[model.name] == best
    assert set(model.members) == set(COMBINATIONS[model.name])


def test_it_ranks_better_than_no_order_and_most_outcomes_lie_in_the_band(
    model: ValueModel, purchases: PurchaseDays
) -> None:
    customers, expected, band = model.predict(purchases, END)
    baskets, spend = purchases.totals(END, END + HORIZON)
    scores = value_scores(expected, (baskets[customers], spend[customers]), band)
    assert scores["spend_gini"] > 0.4
    assert scores["coverage"] == pytest.approx(0.8, abs=0.1)


def test_what_comes_later_changes_no_byte(model: ValueModel, purchases: PurchaseDays) -> None:
    later = purchases.days >= END
    changed = replace(purchases, spend=np.where(later, 1e6, purchases.spend))
    again = ValueModel.fitted(changed, END, HORIZON)
    assert again.to_json() == model.to_json()
    for one, other in zip(again.predict(changed, END)[1], model.predict(purchases, END)[1], strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_text_holds_the_whole_model(model: ValueModel, purchases: PurchaseDays) -> None:
    read = ValueModel.from_json(model.to_json())
    assert read.to_json() == model.to_json()
    for one, other in zip(read.predict(purchases, END)[1], model.predict(purchases, END)[1], strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_text_with_other_members_than_its_name_says_is_refused(model: ValueModel) -> None:
    other = replace(model, name="bg_nbd", members={})
    with pytest.raises(ValueError, match="not what bg_nbd is made of"):
        ValueModel.from_json(other.to_json())


def test_a_part_of_the_customers_is_ranked_as_the_whole(model: ValueModel, purchases: PurchaseDays) -> None:
    customers = purchases.known(END)
    for whole, part in zip(
        model.ranked(purchases, END, customers), model.ranked(purchases, END, customers[::5]), strict=True
    ):
        np.testing.assert_allclose(part, whole[::5], rtol=1e-12)


def test_the_sum_is_expected_as_it_comes_while_a_store_is_young(purchases: PurchaseDays) -> None:
    """Customers join all along, so that a share measured one horizon earlier is too small."""
    end = START + 100
    model = ValueModel.fitted(purchases, end, HORIZON, ("bg_nbd",))
    everyone = purchases.totals(end, end + HORIZON)[0]
    share = everyone[purchases.known(end)].sum() / everyone.sum()
    found = model.level(StoreDays.of(purchases, end))[0] / StoreDays.of(purchases, end).forecast(HORIZON)[0]
    assert model.shares[0] < found
    assert abs(found - share) < abs(model.shares[0] - share)


def test_a_model_that_does_not_say_when_its_shares_were_measured_keeps_them(
    model: ValueModel, purchases: PurchaseDays
) -> None:
    state = json.loads(model.to_json())
    del state["days_before"]
    store = StoreDays.of(purchases, END)
    found = ValueModel.from_json(json.dumps(state)).level(store)
    np.testing.assert_allclose(found, model.shares * store.forecast(HORIZON))


def test_longer_horizons_go_on_and_the_horizon_is_itself(model: ValueModel, purchases: PurchaseDays) -> None:
    from models.customer_value.methods import numbers_of

    own = numbers_of(purchases, END, purchases.known(END))
    np.testing.assert_allclose(model.going_on(own, HORIZON), 1.0)
    assert (model.going_on(own, 365) > model.going_on(own, 90)).all()
    assert (model.going_on(own, 365) < 365 / HORIZON + 1e-9).all(), "customers leave, so that spend falls off"


@pytest.mark.parametrize("end", [START + HORIZON, START + HORIZON + 20])
def test_too_short_a_history_says_what_to_change(purchases: PurchaseDays, end: int) -> None:
    with pytest.raises(ValueError, match="deliver more history or lower"):
        ValueModel.fitted(purchases, end, HORIZON)


def test_customers_who_came_once_or_paid_nothing_spoil_nothing() -> None:
    n = 60
    days = START + np.arange(n) * 3
    once = PurchaseDays.ordered(
        np.arange(n), days, baskets=np.ones(n), spend=np.zeros(n), lines=np.ones(n), n_customers=n
    )
    with pytest.raises(ValueError, match="no customer bought again within 40 days"):
        ValueModel.fitted(once, END, HORIZON)
    model = ValueModel.fitted(once, END, HORIZON, ("bg_nbd",))
    customers, (baskets, spend), (low, high) = model.predict(once, END)
    assert len(customers) == n
    assert (spend == 0).all()
    assert np.isfinite([baskets, low, high]).all()
