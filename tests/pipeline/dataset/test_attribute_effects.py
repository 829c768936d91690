"""The effect of an attribute is what its other values would change: nothing where it decides nothing."""

from dataclasses import replace

import numpy as np
import pytest

from models.actions.action_log import ActionLog
from pipeline.dataset.action_examples import attribute_hashes
from pipeline.dataset.attribute_effects import attribute_effects, usual_values
from tests.models.actions.logs import log_of

ATTRIBUTES = [["region=north", "segment=a"], ["segment=b"], None]
NUMBERS = [[{"name": "staff", "value": 3.0}], [{"name": "staff", "value": None}], None]
USUAL = usual_values(
    [["segment=a", "region=north"]] * 3 + [["segment=b", "region=south"]], [[{"name": "staff", "value": 1.0}]] * 5
)
IS_A = attribute_hashes([["segment=a"]])[0, 0]


def log() -> ActionLog:
    made = log_of([0], [1], [2], numbers=[3.0, np.nan, np.nan])
    return replace(made, attributes=attribute_hashes(ATTRIBUTES))


def test_only_what_decides_has_an_effect_whatever_its_place() -> None:
    def probability(cases: ActionLog) -> np.ndarray:
        return np.where((cases.attributes == IS_A).any(axis=1), 0.9, 0.1)

    effects = attribute_effects(probability, log(), ATTRIBUTES, NUMBERS, USUAL)
    found = [{each["attribute"]: each["effect"] for each in of_case} for of_case in effects]
    usually = 0.75 * 0.9 + 0.25 * 0.1
    assert found[0] == pytest.approx({"region=north": 0.0, "segment=a": 0.9 - usually, "staff=3": 0.0})
    assert found[1] == pytest.approx({"segment=b": 0.1 - usually})
    assert found[2] == {}


def test_a_number_is_set_against_its_quantiles() -> None:
    effects = attribute_effects(lambda cases: np.nan_to_num(cases.numbers[:, 0]), log(), ATTRIBUTES, NUMBERS, USUAL)
    assert effects[0][-1] == {"attribute": "staff=3", "effect": pytest.approx(2.0)}


def test_usual_values_do_not_depend_on_the_order_of_cases() -> None:
    attributes = [["segment=a"], ["segment=b"], ["segment=b"], None]
    assert usual_values(attributes, []) == usual_values(attributes[::-1], [])
    assert usual_values(attributes, []).shares["segment"][0] == ("segment=b", pytest.approx(2 / 3))
