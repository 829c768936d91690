"""Every array of a batch is described, and described truly."""

import pytest

from models.candidate_columns import FEATURES, OWN_FEATURES, SCALED_FEATURES
from models.fields import (
    BASKET_FEATURES,
    CANDIDATE_FEATURES,
    EVENT_INPUTS,
    EVENT_TARGETS,
    FIELDS,
    INPUTS,
    ORDER_INPUTS,
    ORDER_TARGETS,
    OWN_LOG_UNITS,
    TARGETS,
)
from tests.models.batches import assert_as_described, random_batch


def test_no_name_comes_twice() -> None:
    groups = (INPUTS, TARGETS, EVENT_INPUTS, EVENT_TARGETS, ORDER_INPUTS, ORDER_TARGETS)
    assert len(FIELDS) == sum(map(len, groups))
    for columns in (BASKET_FEATURES, CANDIDATE_FEATURES, OWN_FEATURES, SCALED_FEATURES, FEATURES):
        assert len(set(columns)) == len(columns)


@pytest.mark.parametrize("seed", range(3))
def test_batches_of_the_tests_are_as_described(seed: int) -> None:
    assert_as_described(random_batch(seed, examples=5))


def test_the_units_of_own_products_are_one_column() -> None:
    assert CANDIDATE_FEATURES[OWN_LOG_UNITS] == "own_log_units"
