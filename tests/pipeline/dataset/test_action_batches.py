"""Arrays of moments: the future reaches the targets alone, and long cases keep their latest actions."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models import fields
from models.actions.action_log import Prefixes, prefixes_of
from models.special_ids import END
from pipeline.dataset.action_batches import action_batch
from tests.models.actions.logs import log_of, rest

CASE = st.lists(st.integers(0, 4), min_size=3, max_size=7)
INPUTS = [field.name for field in fields.EVENT_INPUTS] + [fields.ATTRIBUTES]


@given(CASE, st.integers(1, 2), st.lists(st.integers(0, 4), min_size=1, max_size=4))
def test_no_future_action_reaches_an_input(case: list[int], end: int, other: list[int]) -> None:
    moment = Prefixes(np.array([0]), np.array([end]))
    one = action_batch(log_of(case), moment, longest_past=5, longest_rest=5)
    two = action_batch(log_of([*case[:end], *other]), moment, longest_past=5, longest_rest=5)
    for name in INPUTS:
        np.testing.assert_array_equal(one[name], two[name], err_msg=name)


def test_arrays_have_the_documented_types_and_padding() -> None:
    log = log_of([0, 1, 2], [3, 4])
    batch = action_batch(log, prefixes_of(log), longest_past=5, longest_rest=5)
    for field in (*fields.EVENT_INPUTS, *fields.EVENT_TARGETS):
        assert str(batch[field.name].dtype) == field.dtype, field.name
    assert batch[fields.EVENT_IDS].tolist() == [[3, 0], [3, 4], [6, 0]]
    assert batch[fields.TARGET_EVENTS].tolist() == [[4, 5, END], [5, END, 0], [7, END, 0]]
    assert batch[fields.EVENT_GAP_HOURS].tolist() == [[0, 0], [0, 24], [0, 0]]
    assert batch[fields.TARGET_DAYS].tolist() == [[1, 1, 0], [1, 0, 0], [1, 0, 0]]


def test_long_cases_keep_their_latest_actions_and_a_cut_rest_has_no_end() -> None:
    log = log_of([0, 1, 2, 3, 4, 0, 1])
    batch = action_batch(log, Prefixes(np.array([0]), np.array([4])), longest_past=2, longest_rest=2)
    assert batch[fields.EVENT_IDS].tolist() == [list(rest(2, 3))]
    assert batch[fields.EVENT_ELAPSED_HOURS].tolist() == [[48.0, 72.0]], "counted from the first action of the case"
    assert batch[fields.TARGET_EVENTS].tolist() == [list(rest(4, 0))]


def test_weights_and_unknown_outcomes() -> None:
    log = log_of([0, 1], [2, 3], won=[1.0, np.nan])
    batch = action_batch(log, prefixes_of(log), longest_past=2, longest_rest=3, weights=np.array([0.5, 1.0]))
    assert batch[fields.EXAMPLE_WEIGHTS].tolist() == [0.5, 1.0]
    assert batch[fields.TARGET_WON_KNOWN].tolist() == [1.0, 0.0]
    assert batch[fields.TARGET_WON].tolist() == [1.0, 0.0]
