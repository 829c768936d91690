"""Cases weigh by outcome and by agent; what does not train weighs nothing and changes no weight."""

import numpy as np

from pipeline.action_rules import ActionRules
from pipeline.dataset.case_weights import case_weights

WON = np.array([1.0, 1.0, 0.0, 0.0, np.nan, 1.0])
AGENTS = np.array(["ann", "ann", "bob", "bob", None, "bob"], object)
TRAINS = np.array([True, True, True, True, True, False])


def test_lost_cases_weigh_as_the_rules_say() -> None:
    assert case_weights(WON, AGENTS, TRAINS, ActionRules()).tolist() == [1, 1, 0, 0, 1, 0]
    assert case_weights(WON, AGENTS, TRAINS, ActionRules(lost_weight=0.3)).tolist() == [1, 1, 0.3, 0.3, 1, 0]


def test_who_wins_more_teaches_more_and_a_case_that_does_not_train_says_nothing() -> None:
    rules = ActionRules(lost_weight=1.0, agent_weight="won_share")
    weights = case_weights(WON, AGENTS, TRAINS, rules)
    assert weights[0] > 1.0 > weights[2] > 0.0
    assert weights[4] == 1.0
    assert weights[5] == 0.0
    other = np.where(TRAINS, WON, 0.0)
    np.testing.assert_array_equal(case_weights(other, AGENTS, TRAINS, rules), weights)
