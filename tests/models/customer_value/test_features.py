"""Features of a day read nothing of that day or a later one, and a part of the customers as the whole."""

from dataclasses import replace

import numpy as np
import pytest

from models.customer_value.features import rfm_features, sequence_columns, sequence_features
from models.customer_value.purchase_days import PurchaseDays
from tests.models.customer_value.customers import START, simulated

DAY = START + 120


def test_what_comes_later_changes_no_feature_and_no_method_of_reading_it() -> None:
    purchases = simulated(80)
    customers = purchases.known(DAY)
    later = purchases.days >= DAY
    changed = replace(purchases, spend=np.where(later, 1e6, purchases.spend), lines=np.where(later, 99, 1.0))
    for features in (sequence_features, rfm_features):
        np.testing.assert_array_equal(features(purchases, DAY, customers), features(changed, DAY, customers))
        np.testing.assert_array_equal(
            features(purchases, DAY, customers), features(purchases.before(DAY), DAY, customers)
        )


def test_a_part_of_the_customers_has_the_features_of_the_whole() -> None:
    purchases = simulated(80)
    customers = purchases.known(DAY)
    part = customers[::3]
    whole = sequence_features(purchases, DAY, customers)[::3]
    np.testing.assert_array_equal(sequence_features(purchases, DAY, part), whole)
    assert whole.shape[1] == len(sequence_columns())


def test_recency_frequency_and_monetary_value_of_a_customer_by_hand() -> None:
    purchases = PurchaseDays.ordered(
        np.array([0, 0, 0, 0, 1]),
        np.array([100, 110, 115, 112, 109]),
        baskets=np.array([1, 1, 1, 0, 1]),
        spend=np.array([10.0, 30.0, 99.0, -4.0, 7.0]),
        lines=np.array([1, 2, 1, 0, 1]),
        n_customers=2,
    )
    found = rfm_features(purchases, 115, np.array([0, 1]))
    assert found[0] == pytest.approx([5, 2, 18.0]), "the return is no basket and is taken off; day 115 is not known"
    assert found[1] == pytest.approx([6, 1, 7.0])
