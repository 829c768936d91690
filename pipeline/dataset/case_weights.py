"""How much each case teaches of the actions: by its outcome, and by who worked on it."""

import numpy as np

from pipeline.action_rules import ActionRules

_PRIOR_CASES = 5.0  # an agent counts as one with so many more cases of the usual outcome


def case_weights(won: np.ndarray, agents: np.ndarray, trains: np.ndarray, rules: ActionRules) -> np.ndarray:
    """Weight of each case in the loss of its actions; float64 [N], 0 where it does not train.

    By `won_share` an agent's weight is the share of the agent's training cases that were won over that of all, so that
    the mean stays about 1. Cases without an agent or an outcome weigh as usual ones.

    Args: won: float [N], 1 or 0, not a number where unknown; agents: object [N], None where nobody is named;
          trains: bool [N].
    """
    weights = np.where(np.nan_to_num(won, nan=1.0) > 0, 1.0, rules.lost_weight) * trains
    known = trains & np.isfinite(won)
    if rules.agent_weight == "equal" or not (won[known] > 0).any():
        return weights
    usual = float(won[known].mean())
    for agent in sorted({each for each in agents[known] if each is not None}):
        own = known & (agents == agent)
        share = (won[own].sum() + _PRIOR_CASES * usual) / (own.sum() + _PRIOR_CASES)
        weights[agents == agent] *= share / usual
    return weights
